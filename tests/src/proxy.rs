use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A way to a server on this machine that can be cut, slowed down, or held.
#[derive(Debug)]
pub struct Proxy {
    pub port: u16,
    way: Arc<Way>,
}

#[derive(Debug, Default)]
struct Way {
    /// Both ends of what is connected.
    open: Mutex<Vec<TcpStream>>,
    delay_ms: AtomicU64,
    held: AtomicBool,
    answers_held: AtomicBool,
}

impl Proxy {
    /// Listens on `port` and leads to `to`, which need not be there yet.
    ///
    /// # Panics
    /// When the port is in use.
    pub fn start(port: u16, to: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let way = Arc::new(Way::default());
        let shared = way.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A client whose server is not there finds its connection closed.
                let Ok(server) = TcpStream::connect(("127.0.0.1", to)) else { continue };
                shared.connect(client, server);
            }
        });
        Self { port, way }
    }

    /// Breaks every connection there is; how many there were.
    pub fn cut(&self) -> usize {
        let open = std::mem::take(&mut *self.way.open.lock().unwrap());
        for stream in &open {
            let _ = stream.shutdown(Shutdown::Both);
        }
        open.len() / 2
    }

    /// Everything arrives later by this much, from now on.
    pub fn delay(&self, by: Duration) {
        let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.way.delay_ms.store(ms, Ordering::Relaxed);
    }

    /// Nothing arrives, and nothing is refused, until it is let go.
    pub fn hold(&self, held: bool) {
        self.way.held.store(held, Ordering::Relaxed);
    }

    /// What clients send arrives, and what is answered does not, until it is let go; with
    /// [`cut`](Self::cut) before that, the answers are lost.
    pub fn hold_answers(&self, held: bool) {
        self.way.answers_held.store(held, Ordering::Relaxed);
    }
}

impl Way {
    fn connect(self: &Arc<Self>, client: TcpStream, server: TcpStream) {
        let _ = client.set_nodelay(true);
        let _ = server.set_nodelay(true);
        let copies = || Some((client.try_clone().ok()?, server.try_clone().ok()?));
        let (Some((c1, s1)), Some((c2, s2))) = (copies(), copies()) else { return };
        {
            let mut open = self.open.lock().unwrap();
            // What has ended by itself is not kept.
            open.retain(|stream| stream.peer_addr().is_ok());
            open.extend([client, server]);
        }
        for (from, to, is_answer) in [(c1, s1, false), (s2, c2, true)] {
            let way = self.clone();
            std::thread::spawn(move || way.carry(from, to, is_answer));
        }
    }

    fn is_held(&self, is_answer: bool) -> bool {
        self.held.load(Ordering::Relaxed)
            || (is_answer && self.answers_held.load(Ordering::Relaxed))
    }

    fn carry(&self, mut from: TcpStream, mut to: TcpStream, is_answer: bool) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            let delay = self.delay_ms.load(Ordering::Relaxed);
            if delay > 0 {
                std::thread::sleep(Duration::from_millis(delay));
            }
            while self.is_held(is_answer) {
                std::thread::sleep(Duration::from_millis(10));
            }
            if to.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    }
}
