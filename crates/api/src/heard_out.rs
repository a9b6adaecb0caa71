//! A connection that is read to its end though nobody reads at the other.
//!
//! The daemon answers a request it will not read to its end and closes. Whoever
//! is still writing would be told of a broken pipe, and not why.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

/// A stream that takes what cannot be written any more as written: its reader
/// finds the answer, or the end.
pub(crate) struct HeardOut {
    stream: UnixStream,
    unread: bool,
}

impl HeardOut {
    pub(crate) fn new(stream: UnixStream) -> Self {
        Self {
            stream,
            unread: false,
        }
    }
}

impl AsyncRead for HeardOut {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for HeardOut {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        use io::ErrorKind::{BrokenPipe, ConnectionReset};
        if self.unread {
            return Poll::Ready(Ok(buf.len()));
        }
        match ready!(Pin::new(&mut self.stream).poll_write(cx, buf)) {
            Err(error) if matches!(error.kind(), BrokenPipe | ConnectionReset) => {
                self.unread = true;
                Poll::Ready(Ok(buf.len()))
            }
            written => Poll::Ready(written),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn an_answer_is_read_though_the_question_was_not() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(b"too large").await.unwrap();
        drop(theirs);
        let mut ours = HeardOut::new(ours);
        ours.write_all(&[0; 1 << 20]).await.unwrap();
        let mut answer = String::new();
        ours.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "too large");
    }
}
