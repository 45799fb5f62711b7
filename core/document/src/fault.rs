//! What is wrong in a document, and where.

use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// Faults kept for one document: past this nobody reads on, and a hostile file could ask for millions.
const FAULTS_MAX: usize = 500;

/// A place in a document: line and column, both counted from 1. Zero means the document as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
pub struct Mark {
    /// Counted from 1.
    pub line: u32,
    /// In characters, counted from 1.
    pub column: u32,
}

/// One thing that is wrong in a document, told so that its author can mend it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// The file, as it was named to the reader.
    pub file: Arc<str>,
    /// Counted from 1; 0 for the document as a whole.
    pub line: u32,
    /// Counted from 1; 0 for the document as a whole.
    pub column: u32,
    /// The place in the document's structure, such as `steps[1].call-user.target`.
    pub path: String,
    /// What is wrong, one sentence without a full stop.
    pub reason: String,
    /// What to do about it; empty when the reason says it.
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: ", self.file)?,
            line => write!(f, "{}:{line}:{}: ", self.file, self.column)?,
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.reason)?;
        if !self.remedy.is_empty() {
            write!(f, " ({})", self.remedy)?;
        }
        Ok(())
    }
}

impl Fault {
    /// A fault of a file as a whole: it cannot be read, it does not fit to another one.
    pub fn of_file(file: impl Into<Arc<str>>, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        let (reason, remedy) = (reason.into(), remedy.into());
        Self { file: file.into(), line: 0, column: 0, path: String::new(), reason, remedy }
    }
}

/// The faults of one document, in the order in which they were found.
#[derive(Debug, Clone)]
pub struct Faults {
    file: Arc<str>,
    found: Vec<Fault>,
    /// There were more than are kept.
    more: bool,
}

impl Faults {
    /// None yet, for the document `file`.
    pub fn new(file: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), found: Vec::new(), more: false }
    }

    /// The file that faults are noted for.
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// Notes a fault; the 501st and later ones are dropped, and a last one says so.
    pub fn add(&mut self, at: Mark, path: &str, reason: impl Into<String>, remedy: impl Into<String>) {
        if self.found.len() < FAULTS_MAX {
            self.found.push(Fault {
                file: Arc::clone(&self.file),
                line: at.line,
                column: at.column,
                path: path.into(),
                reason: reason.into(),
                remedy: remedy.into(),
            });
        } else {
            self.more = true;
        }
    }

    /// Takes over faults that another reader found, perhaps in another file.
    pub fn extend(&mut self, more: impl IntoIterator<Item = Fault>) {
        let mut more = more.into_iter();
        let room = FAULTS_MAX.saturating_sub(self.found.len());
        self.found.extend(more.by_ref().take(room));
        self.more |= more.next().is_some();
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many things are wrong.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// The faults by file, line and column; where more were found than are kept, a last one of the file as a whole.
    pub fn into_sorted(mut self) -> Vec<Fault> {
        self.found.sort();
        self.found.dedup();
        if self.more {
            let reason = format!("more is wrong than the {FAULTS_MAX} faults that are listed");
            self.found.push(Fault::of_file(self.file, reason, "mend these and check again"));
        }
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_was_cut_says_so() {
        let mut faults = Faults::new("a.yaml");
        for line in 1..=500 {
            faults.add(Mark { line, column: 1 }, "", "wrong", "");
        }
        assert_eq!(faults.clone().into_sorted().len(), 500);
        let mut taken = faults.clone();
        faults.add(Mark { line: 501, column: 1 }, "", "wrong", "");
        taken.extend([Fault::of_file("b.yaml", "wrong", "")]);
        let last = "a.yaml: more is wrong than the 500 faults that are listed (mend these and check again)";
        for faults in [faults, taken] {
            let told = faults.into_sorted();
            assert_eq!((told.len(), told.last().map(ToString::to_string).as_deref()), (501, Some(last)));
        }
    }
}
