//! How a connection ends. Who is answered before it has sent all (a body that is too long, or comes too slowly) may
//! still be sending: if the connection is closed on bytes that nobody has read, its kernel says "reset", and takes away
//! the answer that has come and was not read (RFC 9112, section 9.6). So only our half is closed at first, and what comes
//! is read and forgotten, within bounds, until the other half is closed too.

use std::io::{IoSlice, Result};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Who has its answer ends its half sooner, and who does not has had time to read it.
const LONGEST: Duration = Duration::from_secs(1);
/// More than is on the way when somebody is answered early.
const MOST_BYTES: usize = 256 << 10;

#[derive(Debug)]
pub struct Lingering<S> {
    stream: S,
    /// Once our half is closed.
    until: Option<Pin<Box<Sleep>>>,
    left: usize,
}

impl<S> Lingering<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, until: None, left: MOST_BYTES }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let Self { stream, until, left } = self.get_mut();
        let until = match until {
            Some(until) => until,
            None => {
                ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
                until.insert(Box::pin(sleep(LONGEST)))
            }
        };
        if until.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let mut scratch = [MaybeUninit::uninit(); 8 << 10];
        loop {
            let mut buffer = ReadBuf::uninit(&mut scratch);
            // However the other half ends, it is the end.
            let read = ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer));
            let bytes = buffer.filled().len();
            if read.is_err() || bytes == 0 || bytes > *left {
                return Poll::Ready(Ok(()));
            }
            *left -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::thread::JoinHandle;
    use std::time::Instant;

    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    /// Somebody is answered before it has sent anything; how long its connection is kept.
    fn answered(client: fn(TcpStream) -> String) -> (String, Duration) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let client: JoinHandle<String> = std::thread::spawn(move || client(stream));
            let mut stream = Lingering::new(listener.accept().await.unwrap().0);
            stream.write_all(b"the answer").await.unwrap();
            let began = Instant::now();
            stream.shutdown().await.unwrap();
            drop(stream);
            let kept = began.elapsed();
            (client.join().unwrap(), kept)
        })
    }

    fn read(mut stream: TcpStream) -> String {
        let mut said = String::new();
        stream.read_to_string(&mut said).map_or_else(|e| e.to_string(), |_| said)
    }

    #[test]
    fn who_goes_on_sending_has_its_answer() {
        let (said, kept) = answered(|mut stream| {
            for _ in 0..20 {
                stream.write_all(&[b'x'; 1_000]).unwrap();
                std::thread::sleep(Duration::from_millis(10));
            }
            read(stream)
        });
        assert_eq!(said, "the answer");
        // It has read its answer, and gone.
        assert!(kept < LONGEST, "{kept:?}");
    }

    #[test]
    fn a_connection_is_kept_for_a_bounded_time_and_number_of_bytes() {
        let (_, kept) = answered(|mut stream| {
            let began = Instant::now();
            while began.elapsed() < 3 * LONGEST && stream.write_all(b"x").is_ok() {
                std::thread::sleep(Duration::from_millis(10));
            }
            String::new()
        });
        assert!(kept >= LONGEST && kept < 2 * LONGEST, "{kept:?}");
        let (sent, kept) = answered(|mut stream| {
            let (chunk, mut sent) = (vec![b'x'; 64 << 10], 0);
            while sent < 100 << 20 && stream.write_all(&chunk).is_ok() {
                sent += chunk.len();
            }
            sent.to_string()
        });
        assert!(kept < LONGEST, "{kept:?}");
        assert!(sent.parse::<usize>().unwrap() < 50 << 20, "{sent}");
    }
}
