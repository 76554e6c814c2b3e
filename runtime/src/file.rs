//! Files of others: opened only if they are files.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

/// Opens a regular file for reading (a link to one is followed), and nothing else: a named pipe without a writer
/// would wait for ever, a device has no end, and a folder has no bytes.
///
/// The size that the system reports is no promise. Who reads should not reserve it, and should end where its own
/// format says so.
///
/// # Errors
///
/// What the system says, or [`ErrorKind::InvalidInput`] with what stands there in place of a file.
pub(crate) fn regular(path: &Path) -> Result<File> {
    // Before it is opened, since opening alone moves some devices; and after, since another may stand there by then.
    check(&std::fs::metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // A pipe that came between does not wait. It changes nothing for a regular file.
        options.custom_flags(libc::O_NONBLOCK);
    }
    let file = options.open(path)?;
    check(&file.metadata()?)?;
    Ok(file)
}

fn check(metadata: &Metadata) -> Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let what = kind(metadata.file_type());
    Err(Error::new(
        ErrorKind::InvalidInput,
        format!("it is {what}, not a file"),
    ))
}

fn kind(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a named pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if kind.is_dir() {
        "a folder"
    } else {
        "something else"
    }
}

#[cfg(test)]
mod tests {
    use super::regular;
    use std::io::{ErrorKind, Read, Write};

    #[test]
    fn a_file_and_a_link_to_one_are_opened() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"text").unwrap();
        let mut read = String::new();
        let mut opened = regular(file.path()).unwrap();
        opened.read_to_string(&mut read).unwrap();
        assert_eq!(read, "text");
        #[cfg(unix)]
        {
            let folder = tempfile::tempdir().unwrap();
            let link = folder.path().join("link");
            std::os::unix::fs::symlink(file.path(), &link).unwrap();
            assert!(regular(&link).is_ok());
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let folder = tempfile::tempdir().unwrap();
        let error = regular(&folder.path().join("none")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |path: &std::path::Path, what: &str| {
            let error = regular(path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
            assert_eq!(error.to_string(), format!("it is {what}, not a file"));
        };
        refused(folder.path(), "a folder");
        #[cfg(unix)]
        {
            let socket = folder.path().join("socket");
            let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
            refused(&socket, "a socket");
            refused(std::path::Path::new("/dev/zero"), "a device");
            let pipe = folder.path().join("pipe");
            let made = std::process::Command::new("mkfifo").arg(&pipe).status();
            assert!(made.unwrap().success(), "mkfifo");
            refused(&pipe, "a named pipe");
        }
    }
}
