//! A statement as a driver wants it: with a placeholder in each place of a parameter, and the values in their order.

use super::{Piece, Query, Value};

/// How placeholders are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placeholders {
    /// `$1`: each parameter has a number.
    Dollar,
    /// `?1`.
    Numbered,
    /// `@P1`.
    At,
    /// `?`: each place takes the next value.
    Question,
}

/// The statement's text, and the values of its placeholders.
pub(super) fn statement(query: &Query, placeholders: Placeholders) -> (String, Vec<&Value>) {
    let (mut text, mut names, mut values) = (String::new(), Vec::new(), Vec::new());
    for piece in &query.pieces {
        let (name, value) = match piece {
            Piece::Sql(sql) => {
                text.push_str(sql);
                continue;
            }
            Piece::Parameter(name, value) => (name, value),
        };
        let known = names.iter().position(|own| *own == name);
        let at = known.filter(|_| placeholders != Placeholders::Question).unwrap_or_else(|| {
            names.push(name);
            values.push(value);
            names.len() - 1
        });
        let number = (at + 1).to_string();
        match placeholders {
            Placeholders::Dollar => text.extend(["$", &number]),
            Placeholders::Numbered => text.extend(["?", &number]),
            Placeholders::At => text.extend(["@P", &number]),
            Placeholders::Question => text.push('?'),
        }
    }
    (text, values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_driver_has_its_placeholders_and_values_never_become_sql() {
        let sql = |text: &str| Piece::Sql(text.into());
        let (a, b) = (Value::Text("x' or 1=1 --".into()), Value::Number(7));
        let pieces = vec![
            sql("select 1 where p="),
            Piece::Parameter("a".into(), a.clone()),
            sql(" or q="),
            Piece::Parameter("b".into(), b.clone()),
            sql(" or r="),
            Piece::Parameter("a".into(), a.clone()),
        ];
        let timeout = Duration::from_secs(1);
        let query = Query { pieces, writes: false, timeout, retries: 0, rows_max: 1, bytes_max: 1 };
        for (placeholders, text, count) in [
            (Placeholders::Dollar, "select 1 where p=$1 or q=$2 or r=$1", 2),
            (Placeholders::Numbered, "select 1 where p=?1 or q=?2 or r=?1", 2),
            (Placeholders::At, "select 1 where p=@P1 or q=@P2 or r=@P1", 2),
            (Placeholders::Question, "select 1 where p=? or q=? or r=?", 3),
        ] {
            let (written, values) = statement(&query, placeholders);
            assert_eq!(written, text);
            assert_eq!(values, [&a, &b, &a].get(..count).unwrap());
        }
    }
}
