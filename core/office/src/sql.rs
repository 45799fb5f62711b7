//! The words of a query, with parameters by name: `select agent from clients where phone = :number`.
//!
//! Just as much of SQL is read as tells a parameter from what looks like one: texts, quoted names, comments and casts are left alone.

use crate::DatabaseKind;

/// Bytes of a query.
pub(crate) const SQL_MAX: usize = 8_192;
/// Bytes of a parameter's name.
const NAME_MAX: usize = 64;

/// A statement of SQL, with a place for each use of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    text: String,
    pieces: Vec<Piece>,
}

/// A part of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// SQL as it stands.
    Sql(String),
    /// The value of this parameter.
    Parameter(String),
}

impl Statement {
    /// Reads one, as a database of this kind would.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub(crate) fn parse(text: &str, kind: DatabaseKind) -> Result<Self, (String, &'static str)> {
        if text.len() > SQL_MAX {
            return Err((format!("the query has {} bytes, {SQL_MAX} are allowed", text.len()), "make a view of it"));
        }
        let mut reader = Reader { rest: text, kind, before: ' ', sql: String::new(), pieces: Vec::new(), over: false };
        reader.read()?;
        reader.flush();
        let blank = |piece: &Piece| matches!(piece, Piece::Sql(sql) if sql.trim().is_empty());
        if reader.pieces.iter().all(blank) {
            return Err(("there is no query".into(), "write select .. from .. where .. = :name"));
        }
        Ok(Self { text: text.to_owned(), pieces: reader.pieces })
    }

    /// As the document has it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its parts, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }
}

struct Reader<'t> {
    rest: &'t str,
    kind: DatabaseKind,
    /// The character before `rest`.
    before: char,
    sql: String,
    pieces: Vec<Piece>,
    /// A semicolon has ended the statement.
    over: bool,
}

type Fault = (String, &'static str);

impl Reader<'_> {
    fn read(&mut self) -> Result<(), Fault> {
        use DatabaseKind as K;
        while let Some(next) = self.rest.chars().next() {
            let second = self.rest.chars().nth(1);
            let is_my = matches!(self.kind, K::MySql | K::MariaDb);
            if let Some(len) = self.comment() {
                self.keep(len?);
                continue;
            }
            if self.over && !next.is_whitespace() {
                return Err(("a query is one statement".into(), "make a query of each"));
            }
            match next {
                '\'' | '"' => {
                    let backslashes = is_my || self.kind == K::PostgreSql && next == '\'' && self.is_escaping();
                    self.quoted(next, backslashes)?;
                }
                '`' if is_my || self.kind == K::Sqlite => self.quoted('`', false)?,
                '[' if matches!(self.kind, K::Sqlite | K::SqlServer) => self.quoted(']', false)?,
                '$' if self.kind == K::PostgreSql && !is_word(self.before) => self.dollar()?,
                ':' if matches!(second, Some(':' | '=')) => self.keep(2),
                ':' if second.is_some_and(|c| c.is_ascii_alphabetic() || c == '_') => self.parameter()?,
                '?' if is_my || self.kind == K::Sqlite => return Err(Self::foreign("?")),
                '@' | '$' if self.kind == K::Sqlite && !is_word(self.before) => {
                    return Err(Self::foreign(&self.rest.chars().take(8).collect::<String>()));
                }
                '@' if self.kind == K::SqlServer && self.is_numbered() => return Err(Self::foreign("@P1")),
                ';' => {
                    self.over = true;
                    self.rest = self.rest.get(1..).unwrap_or_default();
                }
                other => self.keep(other.len_utf8()),
            }
        }
        Ok(())
    }

    /// Takes so many bytes over as they are.
    fn keep(&mut self, len: usize) {
        let (head, tail) = self.rest.split_at_checked(len).unwrap_or((self.rest, ""));
        self.before = head.chars().next_back().unwrap_or(self.before);
        self.sql.push_str(head);
        self.rest = tail;
    }

    fn flush(&mut self) {
        if !self.sql.is_empty() {
            self.pieces.push(Piece::Sql(std::mem::take(&mut self.sql)));
        }
    }

    fn foreign(what: &str) -> Fault {
        (format!("{what} is no parameter here"), "write :name, and give it a value by this name")
    }

    /// Bytes of a comment that begins here.
    fn comment(&self) -> Option<Result<usize, Fault>> {
        let is_my = matches!(self.kind, DatabaseKind::MySql | DatabaseKind::MariaDb);
        let line = || self.rest.find('\n').unwrap_or(self.rest.len());
        if let Some(after) = self.rest.strip_prefix("--") {
            // Elsewhere than here `a--1` is no difference of a and -1.
            return (!is_my || after.is_empty() || after.starts_with(char::is_whitespace)).then(|| Ok(line()));
        }
        if is_my && self.rest.starts_with('#') {
            return Some(Ok(line()));
        }
        self.rest.starts_with("/*").then(|| self.block())
    }

    fn block(&self) -> Result<usize, Fault> {
        let nests = matches!(self.kind, DatabaseKind::PostgreSql | DatabaseKind::SqlServer);
        let (mut depth, mut at) = (0_usize, 0);
        while let Some(here) = self.rest.get(at..).filter(|here| !here.is_empty()) {
            if here.starts_with("/*") && (nests || depth == 0) {
                (depth, at) = (depth + 1, at + 2);
            } else if here.starts_with("*/") {
                (depth, at) = (depth - 1, at + 2);
                if depth == 0 {
                    return Ok(at);
                }
            } else {
                at += here.chars().next().map_or(1, char::len_utf8);
            }
        }
        Err(("a comment has no end".into(), "end it with */"))
    }

    /// Takes a text or a quoted name over. One that has its quote in it twice is two, side by side.
    fn quoted(&mut self, end: char, backslashes: bool) -> Result<(), Fault> {
        let mut escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            if escaped {
                escaped = false;
            } else if backslashes && c == '\\' {
                escaped = true;
            } else if c == end {
                self.keep(at + c.len_utf8());
                return Ok(());
            }
        }
        Err((format!("a text or a name has no end: {end} is missing"), "end it"))
    }

    /// Whether the text that begins here is one of `E'..'`.
    fn is_escaping(&self) -> bool {
        let mut before = self.sql.chars().rev();
        matches!(before.next(), Some('e' | 'E')) && !before.next().is_some_and(is_word)
    }

    /// `$$ .. $$` and `$tag$ .. $tag$`.
    fn dollar(&mut self) -> Result<(), Fault> {
        let after = self.rest.get(1..).unwrap_or_default();
        if after.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(Self::foreign("$1"));
        }
        let tag = after.find(|c| !is_word(c)).filter(|at| after.get(*at..).is_some_and(|rest| rest.starts_with('$')));
        let Some(tag) = tag.and_then(|at| self.rest.get(..at + 2)) else {
            self.keep(1);
            return Ok(());
        };
        let body = self.rest.get(tag.len()..).unwrap_or_default();
        let end = body.find(tag).ok_or_else(|| (format!("a text has no end: {tag} is missing"), "end it"))?;
        self.keep(tag.len() * 2 + end);
        Ok(())
    }

    /// `@P1`, which is what parameters become.
    fn is_numbered(&self) -> bool {
        let mut after = self.rest.chars().skip(1);
        matches!(after.next(), Some('p' | 'P')) && after.next().is_some_and(|c| c.is_ascii_digit())
    }

    fn parameter(&mut self) -> Result<(), Fault> {
        let after = self.rest.get(1..).unwrap_or_default();
        let name = after.split(|c| !is_word(c)).next().unwrap_or_default();
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.len() > NAME_MAX || !name.chars().all(fits) || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Err((
                format!(":{name} is no name of a parameter"),
                "a name is 1 to 64 of a-z 0-9 _ and begins with a letter; an end of a slice is written with a space before it",
            ));
        }
        self.flush();
        self.pieces.push(Piece::Parameter(name.to_owned()));
        self.rest = after.get(name.len()..).unwrap_or_default();
        self.before = 'x';
        Ok(())
    }
}

/// What a name is made of.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use DatabaseKind as K;

    /// The parts, with parameters in pointed brackets.
    fn read(kind: K, text: &str) -> String {
        match Statement::parse(text, kind) {
            Ok(statement) => statement
                .pieces()
                .iter()
                .map(|piece| match piece {
                    Piece::Sql(sql) => sql.clone(),
                    Piece::Parameter(name) => format!("<{name}>"),
                })
                .collect(),
            Err((reason, _)) => format!("fault: {reason}"),
        }
    }

    #[test]
    fn parameters_are_found_and_what_looks_like_one_is_left_alone() {
        for kind in [K::PostgreSql, K::MySql, K::MariaDb, K::Sqlite, K::SqlServer] {
            assert_eq!(
                read(kind, "select a from t where b = :number and c=:c_2 or d in (:number);\n"),
                "select a from t where b = <number> and c=<c_2> or d in (<number>)\n"
            );
            assert_eq!(
                read(kind, "select ':a', 'it''s :b', \":c\" -- :d\n, :e"),
                "select ':a', 'it''s :b', \":c\" -- :d\n, <e>"
            );
            assert_eq!(read(kind, "select /* :a ; '*/ 1"), "select /* :a ; '*/ 1");
            assert_eq!(read(kind, "select ':ж' || :a"), "select ':ж' || <a>");
        }
    }

    #[test]
    fn each_kind_of_database_has_quotes_of_its_own() {
        for (kind, text, expected) in [
            (K::PostgreSql, "select :a::uuid, x::text", "select <a>::uuid, x::text"),
            (K::PostgreSql, "select $$ :a ; $$, $t$ :b $$ $t$, :c", "select $$ :a ; $$, $t$ :b $$ $t$, <c>"),
            (K::PostgreSql, r"select E'\' :a', :b", r"select E'\' :a', <b>"),
            (K::PostgreSql, r"select '\', :b", r"select '\', <b>"),
            (K::PostgreSql, "select a ? 'b', f(x := 1)", "select a ? 'b', f(x := 1)"),
            (K::PostgreSql, "select /* /* :a */ :b */ :c", "select /* /* :a */ :b */ <c>"),
            (K::PostgreSql, "select a$b, :c", "select a$b, <c>"),
            (K::MySql, r"select '\' :a', `:b` # :c", r"select '\' :a', `:b` # :c"),
            (K::MySql, "select 2--:a", "select 2--<a>"),
            (K::MariaDb, "set @x := :a", "set @x := <a>"),
            (K::Sqlite, "select [:a], `:b`, :c", "select [:a], `:b`, <c>"),
            (K::SqlServer, "select [:a], @x, :c", "select [:a], @x, <c>"),
        ] {
            assert_eq!(read(kind, text), expected, "{kind:?}");
        }
    }

    #[test]
    fn what_no_query_can_be_is_said() {
        for (kind, text, told) in [
            (K::PostgreSql, "", "no query"),
            (K::PostgreSql, " -- nothing\n", ""),
            (K::PostgreSql, "select 1; drop table t", "one statement"),
            (K::PostgreSql, "select $1", "$1 is no parameter"),
            (K::MySql, "select ?", "? is no parameter"),
            (K::Sqlite, "select @a", "@a is no parameter"),
            (K::SqlServer, "select @P1", "@P1 is no parameter"),
            (K::PostgreSql, "select 'a", "has no end"),
            (K::PostgreSql, "select /* a", "has no end"),
            (K::PostgreSql, "select $a$ b", "has no end"),
            (K::PostgreSql, "select :Number", "no name of a parameter"),
        ] {
            let read = read(kind, text);
            assert!(told.is_empty() || read.starts_with("fault: ") && read.contains(told), "{text}: {read}");
        }
        assert!(Statement::parse(&"x".repeat(SQL_MAX + 1), K::Sqlite).is_err());
    }
}
