//! A way to the server on which an answer can get lost.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::server::url;

pub struct Proxy {
    port: u16,
    lose: Arc<AtomicBool>,
    lost: Arc<AtomicBool>,
}

impl Proxy {
    pub fn start() -> Self {
        Self::before(url())
    }

    /// A way to that server.
    pub fn before(url: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (lose, lost) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let proxy = Self { port, lose: lose.clone(), lost: lost.clone() };
        thread::spawn(move || {
            for client in listener.incoming() {
                let server = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
                relay(client.unwrap(), server, lose.clone(), lost.clone());
            }
        });
        proxy
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The next answer of the server is swallowed, and its connection closed.
    pub fn lose_next_answer(&self) {
        self.lose.store(true, Ordering::SeqCst);
    }

    pub fn has_lost_one(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }
}

fn relay(client: TcpStream, server: TcpStream, lose: Arc<AtomicBool>, lost: Arc<AtomicBool>) {
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    let (mut from, mut to) = (server, client);
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            if lose.swap(false, Ordering::SeqCst) {
                lost.store(true, Ordering::SeqCst);
                break;
            }
            if to.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
}
