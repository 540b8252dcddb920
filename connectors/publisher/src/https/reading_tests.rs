use serde_json::json;

use super::*;

fn said(status: u16, media_type: &str, body: impl ToString) -> Said {
    Said {
        status,
        media_type: media_type.to_owned(),
        retry_after: None,
        body: body.to_string().into_bytes(),
    }
}

fn problem(status: u16, code: &str, results: Option<serde_json::Value>) -> Said {
    let mut document = json!({
        "type": format!("urn:waybill:error:{code}"),
        "title": "Title", "status": status, "code": code, "detail": "why",
    });
    if let Some(results) = results {
        document["results"] = results;
    }
    said(status, "application/problem+json", document)
}

fn accepted(position: &str) -> Answer {
    Answer::Accepted { position: position.to_owned() }
}

fn rejected(code: &str) -> Answer {
    Answer::Rejected { code: code.to_owned(), detail: "d".to_owned() }
}

#[test]
fn each_event_has_its_answer() {
    let results = json!([
        {"id": "a", "status": "accepted", "position": "t-0-1"},
        {"id": null, "status": "rejected", "code": "malformed", "detail": "d"},
        {"id": "c", "status": "unknown"},
    ]);
    let sent = said(202, "application/json", json!({"results": results})).read(&["a", "b", "c"]);
    let expected = [accepted("t-0-1"), rejected("malformed"), Answer::Unknown];
    assert_eq!((sent.answers.as_slice(), sent.trouble), (&expected[..], None));
}

/// (what was said, how many have an answer, what is in the way)
#[test]
fn every_problem_in_words() {
    let one = || Some(json!([{"id": "a", "status": "accepted", "position": "t-0-1"}]));
    let none =
        || Some(json!([{"id": "a", "status": "rejected", "code": "expired", "detail": "d"}]));
    let limited =
        || Some(json!([{"id": "a", "status": "rejected", "code": "rate_limited", "detail": "d"}]));
    for (said, answers, kind) in [
        (problem(400, "bad_request", None), vec![], Some(Kind::Refused)),
        (problem(401, "unauthenticated", None), vec![], Some(Kind::Refused)),
        (problem(403, "forbidden", None), vec![], Some(Kind::Refused)),
        (problem(404, "not_found", None), vec![], Some(Kind::Refused)),
        (problem(405, "method_not_allowed", None), vec![], Some(Kind::Refused)),
        (problem(408, "request_timeout", None), vec![], Some(Kind::Away)),
        (problem(413, "body_too_large", None), vec![], Some(Kind::TooLarge)),
        (problem(413, "too_many_messages", one()), vec![accepted("t-0-1")], Some(Kind::TooLarge)),
        (problem(415, "unsupported_media_type", None), vec![], Some(Kind::Refused)),
        (problem(422, "rejected", none()), vec![rejected("expired")], None),
        (problem(429, "rate_limited", limited()), vec![Answer::Unknown], Some(Kind::OverLimit)),
        (problem(429, "rate_limited", None), vec![], Some(Kind::OverLimit)),
        (problem(500, "internal", None), vec![], Some(Kind::Away)),
        (problem(503, "overloaded", None), vec![], Some(Kind::Away)),
        (problem(503, "unavailable", one()), vec![accepted("t-0-1")], Some(Kind::Away)),
        (problem(503, "answers_unavailable", None), vec![], Some(Kind::Away)),
        // Of a later gateway.
        (problem(409, "new_code", None), vec![], Some(Kind::Refused)),
        (problem(599, "new_code", None), vec![], Some(Kind::Away)),
    ] {
        let sent = said.read(&["a", "b"]);
        assert_eq!(sent.answers, answers, "{said:?}");
        assert_eq!(sent.trouble.as_ref().map(|t| t.kind), kind, "{said:?}");
        if let Some(trouble) = sent.trouble {
            assert!(trouble.why.starts_with("Title: why ("), "{trouble}");
        }
    }
}

#[test]
fn what_is_not_a_gateways_is_never_accepted() {
    let good = json!({"results": [{"id": "a", "status": "accepted", "position": "t-0-1"}]});
    let json = "application/json";
    let of = |result: serde_json::Value| said(202, json, json!({"results": [result]}));
    for (said, kind) in [
        (said(200, json, &good), Kind::Refused),
        (said(201, json, &good), Kind::Refused),
        (said(202, "text/html", &good), Kind::Refused),
        (said(202, json, "{}"), Kind::Refused),
        (said(202, json, "no JSON"), Kind::Refused),
        (said(202, json, json!({"results": []})), Kind::Refused),
        (of(json!({"id": "b", "status": "accepted", "position": "t-0-1"})), Kind::Refused),
        (of(json!({"id": null, "status": "accepted", "position": "t-0-1"})), Kind::Refused),
        (of(json!({"id": "a", "status": "accepted"})), Kind::Refused),
        (of(json!({"id": "a", "status": "rejected"})), Kind::Refused),
        (of(json!({"id": "a", "status": "later"})), Kind::Refused),
        (said(302, "text/html", "moved"), Kind::Refused),
        (said(404, "text/html", "nothing"), Kind::Refused),
        (said(413, "text/html", "too large"), Kind::Refused),
        (said(429, "text/html", "slowly"), Kind::OverLimit),
        (said(502, "text/html", "bad gateway"), Kind::Away),
        (said(503, "application/problem+json", r#"{"type":"about:blank"}"#), Kind::Away),
    ] {
        let sent = said.read(&["a"]);
        assert!(sent.answers.is_empty(), "{said:?}: {sent:?}");
        let trouble = sent.trouble.unwrap();
        assert_eq!(trouble.kind, kind, "{said:?}");
        assert!(trouble.why.starts_with("not a gateway's answer: "), "{trouble}");
    }
    let parts = said(413, "text/html", "too large").read(&["a", "b"]).trouble.unwrap();
    assert_eq!(parts.kind, Kind::TooLarge, "in parts it may pass");
    let more = problem(
        503,
        "unavailable",
        Some(json!([{"id": "a", "status": "unknown"}, {"id": "b", "status": "unknown"}])),
    );
    assert!(more.read(&["a"]).trouble.unwrap().why.starts_with("not a gateway's"));
}

/// An event that no request can carry does not hold up the others.
#[test]
fn one_that_is_too_large_alone_is_rejected() {
    let sent = problem(413, "body_too_large", None).read(&["a"]);
    let expected = Answer::Rejected { code: "body_too_large".into(), detail: "why".into() };
    assert_eq!((sent.answers, sent.trouble), (vec![expected], None));
    let sent = problem(413, "too_many_messages", None).read(&["a"]);
    assert_eq!(sent.trouble.unwrap().kind, Kind::Refused);
}

#[test]
fn pauses_are_obeyed_up_to_a_day() {
    let with = |text: &str| Said {
        retry_after: Some(text.to_owned()),
        ..problem(503, "unavailable", None)
    };
    let pause = |text: &str| with(text).read(&["a"]).trouble.unwrap().retry_after;
    assert_eq!(pause("7"), Some(Duration::from_secs(7)));
    assert_eq!(pause("999999999"), Some(LONGEST_PAUSE));
    assert_eq!(pause("soon"), None);
    assert_eq!(pause("Sun, 06 Nov 1994 08:49:37 GMT"), None, "it is over");
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(100);
    let text = until.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let given = pause(&text).unwrap();
    assert!((95..=100).contains(&given.as_secs()), "{text}: {given:?}");

    // Some of a request were over the limit.
    let results = json!([
        {"id": "a", "status": "accepted", "position": "t-0-1"},
        {"id": "b", "status": "rejected", "code": "rate_limited", "detail": "come again in 3 s"},
    ]);
    let part = Said {
        retry_after: Some("3".to_owned()),
        ..said(202, "application/json; charset=utf-8", json!({"results": results}))
    };
    let sent = part.read(&["a", "b"]);
    assert_eq!(sent.answers, [accepted("t-0-1"), Answer::Unknown]);
    let trouble = sent.trouble.unwrap();
    assert_eq!(
        (trouble.kind, trouble.retry_after),
        (Kind::OverLimit, Some(Duration::from_secs(3)))
    );
}
