//! Unwraps a second, in a token and beside it in this process: what an HSM costs.
//!
//!   cargo run --release -p waybill-pkcs11 --example unwraps MODULE TOKEN_LABEL PIN_FILE [PARAMETERS]
//!
//! It makes a key in the token, and destroys it again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use waybill_pkcs11::{Settings, Token, Which};
use waybill_sealing::platform_key::{KeyState, PlatformKey};

const KID: &str = "waybill-unwraps";
const BITS: usize = 3072;
const LASTS: Duration = Duration::from_secs(3);

fn unwraps_a_second(key: &PlatformKey, threads: usize) -> f64 {
    let wrapped = key.public().wrap(&[42; 32]).unwrap();
    let (done, began) = (AtomicU64::new(0), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while began.elapsed() < LASTS {
                    key.unwrap(&wrapped).unwrap();
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    done.into_inner() as f64 / began.elapsed().as_secs_f64()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [module, label, pin_file, more @ ..] = &arguments[..] else {
        panic!("MODULE TOKEN_LABEL PIN_FILE [PARAMETERS]");
    };
    let token = Token::new(Settings {
        module: module.into(),
        token: Which::Label(label.clone()),
        pin: std::fs::read_to_string(pin_file).unwrap().trim_end().into(),
        parameters: more.first().cloned(),
    });
    let public = token.generate(KID, BITS).unwrap();
    let private = Box::new(token.key(public.clone()).unwrap());
    let in_token = PlatformKey::new(KeyState::Active, public, private);
    let in_file = PlatformKey::generate("file", BITS).unwrap();
    for threads in [1, 2, 4, 8] {
        let [file, token] = [&in_file, &in_token].map(|key| unwraps_a_second(key, threads));
        println!(
            "{threads} threads: {file:6.0} unwraps/s in this process, {token:6.0} in the token"
        );
    }
    token.destroy(KID).unwrap();
}
