//! Rows as JSON, within limits.

use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use serde_json::{Map, Value as Json};
use sqlx::{Database, Either};

use super::{NoRows, Query, Rows};

/// A row: the columns' names with their values.
pub(super) type Cells = Vec<(String, Json)>;

/// What a driver hands on: the end of a statement, or a row.
type Step<D> = Result<Either<<D as Database>::QueryResult, <D as Database>::Row>, sqlx::Error>;
/// How a driver's row is shown.
type Shows<D> = fn(&<D as Database>::Row) -> Result<Cells, NoRows>;

/// And how many rows the end of a statement says that it changed.
type Counts<D> = fn(&<D as Database>::QueryResult) -> u64;

/// What came so far.
pub(super) struct Collected {
    rows_max: u64,
    bytes_max: usize,
    text: String,
    rows: u64,
    changed: u64,
}

impl Collected {
    pub(super) fn new(query: &Query) -> Self {
        let bytes_max = usize::try_from(query.bytes_max).unwrap_or(usize::MAX);
        Self { rows_max: query.rows_max.into(), bytes_max, text: "[".into(), rows: 0, changed: 0 }
    }

    /// One more row.
    pub(super) fn row(&mut self, cells: Cells) -> Result<(), NoRows> {
        if self.rows >= self.rows_max {
            return Err(NoRows::TooMany);
        }
        let mut row = Map::new();
        for (name, value) in cells {
            if row.contains_key(&name) {
                return Err(NoRows::Unshown(format!("{name:?}: two columns have this name; give one another by `as`")));
            }
            row.insert(name, value);
        }
        if self.rows > 0 {
            self.text.push(',');
        }
        self.text.push_str(&Json::Object(row).to_string());
        self.rows += 1;
        if self.text.len() < self.bytes_max { Ok(()) } else { Err(NoRows::TooLong) }
    }

    /// A statement changed so many rows.
    pub(super) const fn changed(&mut self, rows: u64) {
        self.changed = self.changed.saturating_add(rows);
    }

    pub(super) fn finish(mut self, writes: bool) -> Rows {
        self.text.push(']');
        let count = if self.rows == 0 && writes { self.changed } else { self.rows };
        Rows { rows: self.text, count }
    }
}

/// Takes rows in until there are no more.
pub(super) async fn collect<D: Database>(
    mut steps: BoxStream<'_, Step<D>>,
    (cells, changed): (Shows<D>, Counts<D>),
    into: &mut Collected,
) -> Result<(), NoRows> {
    while let Some(step) = steps.try_next().await.map_err(|error| super::connection::failed(&error))? {
        match step {
            Either::Left(done) => into.changed(changed(&done)),
            Either::Right(row) => into.row(cells(&row)?)?,
        }
    }
    Ok(())
}

/// The fault of a column whose type cannot be shown.
pub(super) fn unshown(column: &str, kind: &str) -> NoRows {
    NoRows::Unshown(format!("{column:?} is of type {kind}; cast it to a text in the query"))
}

/// A fraction; JSON has no infinity.
pub(super) fn fraction(number: f64) -> Json {
    serde_json::Number::from_f64(number).map_or_else(|| Json::from(number.to_string()), Json::Number)
}

/// One of half the length, with no more digits than it has.
pub(super) fn short_fraction(number: f32) -> Json {
    number.to_string().parse().map_or(Json::Null, fraction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn collected(rows_max: u32, bytes_max: u32) -> Collected {
        let timeout = Duration::from_secs(1);
        Collected::new(&Query { pieces: Vec::new(), writes: false, timeout, retries: 0, rows_max, bytes_max })
    }

    #[test]
    fn rows_are_a_list_within_its_limits() {
        let row = || vec![("a".to_owned(), Json::from(1)), ("b".to_owned(), Json::from("x"))];
        let mut two = collected(2, 1_024);
        assert_eq!((two.row(row()), two.row(row()), two.row(row())), (Ok(()), Ok(()), Err(NoRows::TooMany)));
        let mut fits = collected(9, 18);
        fits.row(row()).unwrap();
        assert_eq!(fits.finish(false), Rows { rows: r#"[{"a":1,"b":"x"}]"#.into(), count: 1 });
        assert_eq!(collected(9, 16).row(row()), Err(NoRows::TooLong));
        let twice = vec![("a".to_owned(), Json::Null), ("a".to_owned(), Json::Null)];
        assert!(matches!(collected(9, 99).row(twice), Err(NoRows::Unshown(_))));
        let mut none = collected(9, 99);
        none.changed(3);
        assert_eq!(none.finish(true), Rows { rows: "[]".into(), count: 3 });
    }
}
