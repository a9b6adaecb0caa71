//! The socket and the connections on it.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use super::route;
use crate::files::FileId;
use crate::handle::Handle;

/// How long to rest where the system has no descriptor left.
const REST: Duration = Duration::from_millis(100);

/// The listening socket; its file goes when this does.
pub(crate) struct ApiSocket {
    listener: UnixListener,
    path: PathBuf,
    id: Option<FileId>,
}

impl ApiSocket {
    /// Listens on `path`, replacing what a killed daemon left there. The caller
    /// holds the home's lock, so no living daemon listens on it.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // The folder around it is 0700 already, so there is no moment at which
        // somebody else could connect.
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            id: FileId::of(path).ok(),
        })
    }
}

impl Drop for ApiSocket {
    fn drop(&mut self) {
        // Another daemon's socket stands there if the home was removed meanwhile
        // and made anew.
        if FileId::of(&self.path).ok() == self.id {
            // Left behind, it would only be replaced at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Serves the API until `stop` turns true; calls under way are finished.
pub(crate) async fn serve(socket: ApiSocket, handle: Handle, mut stop: watch::Receiver<bool>) {
    let handle = Arc::new(handle);
    let stopping = stop.clone();
    loop {
        tokio::select! {
            accepted = socket.listener.accept() => {
                match accepted {
                    Ok((stream, _)) => {
                        tokio::spawn(converse(stream, Arc::clone(&handle), stopping.clone()));
                    }
                    // Out of descriptors: others will be closed, so go on soon.
                    Err(_) => tokio::time::sleep(REST).await,
                }
            }
            () = stopped(&mut stop) => return,
        }
    }
}

async fn converse(stream: UnixStream, handle: Arc<Handle>, mut stop: watch::Receiver<bool>) {
    let ended = stop.clone();
    let service = service_fn(move |request| {
        let (handle, stop) = (Arc::clone(&handle), ended.clone());
        async move { Ok::<_, std::convert::Infallible>(route::answer(&handle, request, stop).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        result = connection.as_mut() => log_end(result),
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            log_end(connection.await);
        }
    }
}

/// Waits until the daemon shall stop; a daemon that is gone has stopped.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

fn log_end(result: Result<(), hyper::Error>) {
    if let Err(error) = result {
        tracing::debug!(%error, "api connection ended early");
    }
}
