/// A moment in the past, ms UTC: `2026-11-24T00:00:00Z` (RFC 3339), or how long ago: `24h`.
pub fn parse(text: &str) -> Result<i64, String> {
    if let Ok(ago) = humantime::parse_duration(text) {
        let ago = i64::try_from(ago.as_millis()).map_err(|_| "too long ago".to_owned())?;
        return Ok((jiff::Timestamp::now().as_millisecond() - ago).max(0));
    }
    text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_millisecond).map_err(|_| {
        "neither a time, such as 2026-11-24T00:00:00Z, nor how long ago, such as 24h".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_how_long_ago() {
        assert_eq!(parse("1970-01-01T00:00:01.5Z"), Ok(1500));
        assert_eq!(parse("1970-01-01T01:00:01+01:00"), Ok(1000));
        let now = jiff::Timestamp::now().as_millisecond();
        let hour_ago = parse("1h").unwrap();
        assert!((now - hour_ago - 3_600_000).abs() < 10_000);
        assert!(parse("yesterday").is_err());
    }
}
