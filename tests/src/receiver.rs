//! An endpoint of a carrier: https, by a certificate of the test's authority, and as good or as bad as it is told.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What it does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Answers with that status, and that header if there is one.
    Answers(u16, Option<(&'static str, &'static str)>),
    /// 200, and a body without an end.
    Endless,
    /// 200, and a body that does not come.
    Stalls,
    /// A head without an end.
    EndlessHead,
    /// Reads, and says nothing.
    Silent,
    /// Closes the connection in the middle of its answer's head.
    Breaks,
    /// Says something that is no HTTP.
    Babbles,
}

/// A request that it has read.
#[derive(Clone, Debug)]
pub struct Received {
    /// The first line.
    pub line: String,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

#[derive(Debug)]
pub struct Receiver {
    pub port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    behaviour: Arc<Mutex<Behaviour>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

fn held<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Receiver {
    /// Listens at that port of 127.0.0.1, with `NAME.pem` and `NAME.key` of the folder.
    ///
    /// # Panics
    /// When it cannot.
    pub fn open(folder: &Path, name: &str, port: u16) -> Self {
        let file = |end: &str| folder.join(format!("{name}.{end}"));
        let certificate = CertificateDer::from_pem_file(file("pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(file("key")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let tls = Arc::new(tls);
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let behaviour = Arc::new(Mutex::new(Behaviour::Answers(204, None)));
        let stop = Arc::new(AtomicBool::new(false));
        let (requests, does, stopped) = (received.clone(), behaviour.clone(), stop.clone());
        let listen = move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (tls, requests, does) = (tls.clone(), requests.clone(), does.clone());
                let stop = stopped.clone();
                let serve = move || {
                    let Ok(stream) = stream else { return };
                    // Whoever asks may go away at any time.
                    let _ = serve(stream, tls, &requests, &does, &stop);
                };
                std::thread::spawn(serve);
            }
        };
        let thread = Some(std::thread::spawn(listen));
        Self { port, received, behaviour, stop, thread }
    }

    pub fn behave(&self, behaviour: Behaviour) {
        *held(&self.behaviour) = behaviour;
    }

    pub fn received(&self) -> Vec<Received> {
        held(&self.received).clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the listener, which then is closed.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(
    stream: TcpStream,
    tls: Arc<ServerConfig>,
    requests: &Mutex<Vec<Received>>,
    does: &Mutex<Behaviour>,
    stop: &AtomicBool,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let connection = ServerConnection::new(tls).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    let request = read(&mut stream)?;
    let behaviour = *held(does);
    held(requests).push(request);
    match behaviour {
        Behaviour::Answers(status, header) => {
            let header =
                header.map_or_else(String::new, |(name, value)| format!("{name}: {value}\r\n"));
            let answer = format!(
                "HTTP/1.1 {status} X\r\n{header}content-length: 0\r\nconnection: close\r\n\r\n"
            );
            stream.write_all(answer.as_bytes())?;
        }
        Behaviour::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            while !stop.load(Ordering::Relaxed) {
                stream.write_all(&[b'x'; 1024])?;
            }
        }
        Behaviour::Stalls => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")?;
            wait(stop);
        }
        Behaviour::EndlessHead => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nx: ")?;
            while !stop.load(Ordering::Relaxed) {
                stream.write_all(&[b'x'; 1024])?;
            }
        }
        Behaviour::Silent => wait(stop),
        Behaviour::Breaks => stream.write_all(b"HTTP/1.1 20")?,
        Behaviour::Babbles => stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")?,
    }
    stream.conn.send_close_notify();
    stream.flush()
}

fn wait(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn read(stream: &mut impl Read) -> std::io::Result<Received> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let n = stream.read(&mut buffer)?;
        bytes.extend(buffer.iter().take(n));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let line = lines.next().unwrap_or_default().to_owned();
            let named = lines.filter_map(|line| line.split_once(':'));
            let headers: BTreeMap<String, String> =
                named.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
            let length = headers.get("content-length").and_then(|length| length.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Ok(Received { line, headers, body: body.as_bytes().to_vec() });
            }
        }
        if n == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}
