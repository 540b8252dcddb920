use super::{CommittedOffset, Position, ProtocolError, Range, token};

fn range(first: i64, last: i64) -> Range {
    Range::new(first, last).unwrap()
}

fn settled(next: i64) -> Position {
    Position::taken_over(next, "").unwrap()
}

fn claimed(next: i64, first: i64, last: i64) -> Position {
    settled(next).claim(range(first, last)).unwrap()
}

const LAST: i64 = i64::MAX - 1;

#[test]
fn a_range_has_a_first_and_a_last_offset() {
    let check = |first, last, is_one: bool| {
        let made = Range::new(first, last);
        assert_eq!(made.is_ok(), is_one, "{first} to {last}");
        let Ok(made) = made else {
            return assert_eq!(made, Err(ProtocolError::NoRange { first, last }));
        };
        assert_eq!((made.first(), made.last(), made.end()), (first, last, last + 1));
        assert!(made.contains(first) && made.contains(last));
        assert!(!made.contains(first - 1) && !made.contains(last + 1));
    };
    check(0, 0, true);
    check(0, 9, true);
    check(7, 7, true);
    check(0, LAST, true);
    check(LAST, LAST, true);
    check(0, i64::MAX, false);
    check(1, 0, false);
    check(-1, 0, false);
    check(-2, -1, false);
    check(i64::MIN, i64::MAX, false);
}

#[test]
fn what_is_committed_is_taken_over() {
    let check = |position: Position, offset, metadata: &str| {
        let committed = position.offset_to_commit();
        assert_eq!(committed, CommittedOffset { offset, metadata: metadata.to_owned() });
        assert_eq!(Position::taken_over(committed.offset, &committed.metadata), Ok(position));
    };
    check(settled(0), 0, "");
    check(settled(42), 42, "");
    check(settled(i64::MAX), i64::MAX, "");
    check(claimed(0, 0, 0), 0, "0-0");
    check(claimed(42, 42, 99), 42, "42-99");
    // A gap before the range, as a transaction marker leaves one.
    check(claimed(42, 44, 44), 42, "44-44");
    check(claimed(0, LAST, LAST), 0, "9223372036854775806-9223372036854775806");
    check(claimed(42, 42, 99).complete().unwrap(), 100, "");
    // The two commits in one.
    let next = claimed(42, 42, 99).complete().unwrap().claim(range(101, 120)).unwrap();
    check(next, 100, "101-120");
}

#[test]
fn a_foreign_commit_is_not_guessed_at() {
    let check = |offset, metadata: &str| {
        let committed = CommittedOffset { offset, metadata: metadata.to_owned() };
        let taken = Position::taken_over(offset, metadata);
        assert_eq!(taken, Err(ProtocolError::ForeignCommit(committed)));
    };
    // No offset.
    check(-1, "");
    check(-1001, "");
    check(i64::MIN, "0-1");
    // Not two numbers.
    check(0, " ");
    check(0, "-");
    check(0, "5");
    check(0, "5-");
    check(0, "-9");
    check(0, "5-9-12");
    check(0, "5--9");
    check(0, "-5-9");
    check(0, "5..9");
    check(0, "five-nine");
    check(0, "5-9;");
    check(0, "5-9\0");
    check(0, "5–9");
    check(0, "٥-٩");
    check(0, r#"{"first":5,"last":9}"#);
    // Kafka Streams writes such.
    check(0, "AgAAAZKzVmAA");
    // Numbers as no sink of ours writes them.
    check(0, " 5-9");
    check(0, "5-9 ");
    check(0, "5 - 9");
    check(0, "5-9\n");
    check(0, "+5-9");
    check(0, "5-+9");
    check(0, "05-9");
    check(0, "5-09");
    check(0, "0x5-0x9");
    check(0, "5.0-9.0");
    check(0, "9223372036854775808-9223372036854775809");
    // Not a range.
    check(0, "9-5");
    check(0, "0-9223372036854775807");
    // A range of which a part is settled.
    check(6, "5-9");
    check(10, "5-9");
}

#[test]
fn claim_and_complete_take_turns() {
    let claim = |at: Position, first, last, then: Option<Position>| {
        let range = range(first, last);
        let refused = ProtocolError::NotClaimable { at, range };
        assert_eq!(at.claim(range), then.ok_or(refused), "{at}, claim {range}");
    };
    claim(settled(0), 0, 4, Some(claimed(0, 0, 4)));
    claim(settled(5), 5, 5, Some(claimed(5, 5, 5)));
    claim(settled(5), 8, 9, Some(claimed(5, 8, 9)));
    claim(settled(5), 4, 9, None);
    claim(settled(5), 0, 4, None);
    claim(settled(i64::MAX), LAST, LAST, None);
    claim(claimed(5, 5, 9), 5, 9, None);
    claim(claimed(5, 5, 9), 10, 14, None);
    claim(claimed(5, 8, 9), 5, 7, None);

    let complete = |at: Position, then: Option<Position>| {
        assert_eq!(
            at.complete(),
            then.ok_or(ProtocolError::NothingClaimed { at }),
            "complete {at}"
        );
    };
    complete(claimed(0, 0, 0), Some(settled(1)));
    complete(claimed(5, 8, 9), Some(settled(10)));
    complete(claimed(0, 0, LAST), Some(settled(i64::MAX)));
    complete(settled(0), None);
    complete(settled(5), None);
}

#[test]
fn a_token_names_topic_partition_and_range() {
    assert_eq!(token("waybill.events", "", 3, range(5, 9)), "waybill.events:3:5-9");
    assert_eq!(token("t", "id", 0, range(0, LAST)), "t/id:0:0-9223372036854775806");
}

#[test]
fn an_error_says_what_is_wrong() {
    let check = |error: ProtocolError, says: &str| assert_eq!(error.to_string(), says);
    check(Range::new(9, 5).unwrap_err(), "offsets 9 to 5 are no range");
    check(
        Position::taken_over(7, "x\n").unwrap_err(),
        r#"offset 7 is committed with metadata "x\n", which no sink of ours writes"#,
    );
    check(
        claimed(5, 8, 9).claim(range(10, 11)).unwrap_err(),
        "10-11 cannot be claimed from settled below 5, 8-9 claimed",
    );
    check(
        settled(5).complete().unwrap_err(),
        "nothing is claimed that could settle: settled below 5",
    );
}
