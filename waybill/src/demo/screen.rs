use std::fmt::Write as _;
use std::time::Duration;

use console::Term;

use crate::demo::figures::Line;

/// What is shown while the demo runs: redrawn in place on a terminal, plain lines otherwise.
#[derive(Debug)]
pub struct Screen {
    term: Term,
    drawn: usize,
    looks: u64,
}

/// One look at everything.
#[derive(Debug)]
pub struct View<'a> {
    pub elapsed: Duration,
    pub of: Duration,
    pub published: u64,
    pub published_per_second: f64,
    pub lines: &'a [Line],
    /// From sealing to queryable, ms, of the last seconds.
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub note: &'a str,
}

impl Screen {
    pub fn new() -> Self {
        Self { term: Term::stdout(), drawn: 0, looks: 0 }
    }

    pub fn show(&mut self, view: &View<'_>) {
        self.looks += 1;
        if self.term.is_term() {
            let text = picture(view);
            let _ = self.term.clear_last_lines(self.drawn);
            self.drawn = text.lines().count();
            let _ = self.term.write_str(&text);
        } else if self.looks % 5 == 1 {
            let _ = self.term.write_line(&plain(view));
        }
    }
}

fn ms(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |v| format!("{v:.0}"))
}

fn picture(v: &View<'_>) -> String {
    let mut s = String::new();
    let _ = writeln!(
        s,
        "\n  {:>3} of {} s    published {} ({}/s)    {}",
        v.elapsed.as_secs(),
        v.of.as_secs(),
        grouped(v.published as f64),
        grouped(v.published_per_second),
        v.note
    );
    let _ =
        writeln!(s, "\n  stage                    records/s       lag   rejected    memory    cpu");
    for l in v.lines {
        if l.up {
            let _ = write!(
                s,
                "  {:<23} {:>10} {:>9} {:>10} {:>6.0} MB {:>4.0} %",
                l.stage,
                grouped(l.per_second),
                grouped(l.lag),
                grouped(l.rejected),
                l.rss / 1e6,
                l.cpu_percent
            );
        } else {
            let _ = write!(s, "  {:<23} {:>10}", l.stage, "down");
        }
        let _ = writeln!(
            s,
            "{}",
            if l.restarts > 0 {
                format!("   started again {}×", l.restarts)
            } else {
                String::new()
            }
        );
    }
    let _ = writeln!(
        s,
        "\n  from sealing to queryable, last 10 s:   p50 {} ms   p99 {} ms",
        ms(v.p50_ms),
        ms(v.p99_ms)
    );
    s
}

fn plain(v: &View<'_>) -> String {
    let mut s = format!("demo: t={}s published={}", v.elapsed.as_secs(), v.published);
    for l in v.lines {
        if l.up {
            let _ = write!(
                s,
                " {}={:.0}/s,lag={:.0},rejected={:.0}",
                l.stage, l.per_second, l.lag, l.rejected
            );
        } else {
            let _ = write!(s, " {}=down", l.stage);
        }
    }
    let _ = write!(s, " p50_ms={} p99_ms={}", ms(v.p50_ms), ms(v.p99_ms));
    s
}

/// 1234567 as 1,234,567.
pub fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.max(0.0));
    let mut s = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            s.push(',');
        }
        s.push(c);
    }
    s
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped() {
        for (value, text) in
            [(0.0, "0"), (999.4, "999"), (1000.0, "1,000"), (1_234_567.0, "1,234,567")]
        {
            assert_eq!(grouped(value), text);
        }
    }
}
