//! How an action can end, and which variables each end assigns.

use crate::Failure;
use crate::describe::Words;

/// How an action can end. Derive it: `#[derive(Outcome)]` on an enum.
///
/// A variant `NoAnswer` is the outcome `no-answer`; its doc comment is the English text, `#[text(ru("…"), de("…"))]`
/// gives the others. A named field is a scenario variable of that name, assigned when this outcome is returned: the
/// manifest promises exactly what the type makes sure of. A field of type `Option` may stay unassigned, and is not promised.
///
/// An enum without variants says that the scenario ends here, as `hang-up` does: no step can follow.
pub trait Outcome {
    /// Every outcome, for the manifest.
    #[doc(hidden)]
    const DECLARED: &'static [Declared];

    /// Assigns the variables of this outcome and names it.
    #[doc(hidden)]
    fn assign(self) -> Result<&'static str, Failure>;
}

/// One outcome, as the manifest tells it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Declared {
    pub name: &'static str,
    pub texts: &'static [Words],
    pub sets: &'static [Sets],
}

/// A variable that an outcome assigns.
#[doc(hidden)]
#[derive(Debug)]
pub struct Sets {
    pub name: &'static str,
    /// As [`crate::variables::Variable::TYPE`].
    pub type_name: &'static str,
    /// False for an `Option`.
    pub always: bool,
}
