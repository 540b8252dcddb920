/// The statements of a script, without the semicolons between them. A semicolon within quotes
/// (`'…'`, `"…"`, `` `…` ``) or a comment (`-- …`, `/* … */`) does not end one.
pub(crate) fn statements(script: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    // Whether there is more than comments and blanks since `start`.
    let mut something = false;
    let mut rest = script.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            ';' => {
                if something {
                    found.extend(script.get(start..at).map(str::trim));
                }
                start = at + 1;
                something = false;
            }
            '\'' | '"' | '`' => {
                something = true;
                // A doubled quote closes and opens again: the same as if it were one.
                while let Some((_, inner)) = rest.next() {
                    if inner == '\\' {
                        rest.next();
                    } else if inner == c {
                        break;
                    }
                }
            }
            '-' if rest.next_if(|&(_, c)| c == '-').is_some() => {
                rest.by_ref().find(|&(_, c)| c == '\n');
            }
            '/' if rest.next_if(|&(_, c)| c == '*').is_some() => {
                let mut before = ' ';
                rest.by_ref().find(|&(_, c)| std::mem::replace(&mut before, c) == '*' && c == '/');
            }
            c => something |= !c.is_whitespace(),
        }
    }
    if something {
        found.extend(script.get(start..).map(str::trim));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bare_semicolon_ends_a_statement() {
        let check = |script: &str, expect: &[&str]| assert_eq!(statements(script), expect);
        check("", &[]);
        check(" ;; \n ;", &[]);
        check("-- only; a comment", &[]);
        check("/* only; */ ;", &[]);
        check("SELECT 1", &["SELECT 1"]);
        check("SELECT 1;\nSELECT 2;\n", &["SELECT 1", "SELECT 2"]);
        check("SELECT ';'; SELECT 2", &["SELECT ';'", "SELECT 2"]);
        check("SELECT 'it''s; so'; SELECT 2", &["SELECT 'it''s; so'", "SELECT 2"]);
        check(r"SELECT 'a\';b'; SELECT 2", &[r"SELECT 'a\';b'", "SELECT 2"]);
        check("SELECT `a;b`, \"c;d\"; SELECT 2", &["SELECT `a;b`, \"c;d\"", "SELECT 2"]);
        check("SELECT 1 -- a; b\n+ 1; SELECT 2", &["SELECT 1 -- a; b\n+ 1", "SELECT 2"]);
        check("SELECT /* a; b **/ 1; SELECT 2", &["SELECT /* a; b **/ 1", "SELECT 2"]);
        check("SELECT 1 - 1 / 2; SELECT 2", &["SELECT 1 - 1 / 2", "SELECT 2"]);
        check("-- first\nSELECT 'ü;…';", &["-- first\nSELECT 'ü;…'"]);
    }
}
