//! Files that are written whole or not at all.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Longer chains of links are taken for a circle, as by Linux.
const MOST_LINKS: usize = 40;

const ENDING: &str = ".part";

/// Writes the whole file or nothing: into a file beside it, to the disk, then renamed.
///
/// Where a plain write would be refused (a file that may not be written, a folder, a pipe), so is this one. A file
/// that is replaced keeps its permissions and, where the system allows it, its owner; a link stays a link, and the
/// file it points to is replaced, or made.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let target = followed(path)?;
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let existing = writable(&target)?;
    let prefix = prefix(&target)?;
    clear(folder, &prefix);
    let mut file = scratch(folder, &prefix, existing.as_ref())?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    // The file is complete and in its place. That the folder's entry survives a power failure too can be asked
    // for only where the folder may be read: no reason to say that nothing was saved.
    #[cfg(unix)]
    if let Ok(folder) = File::open(folder) {
        let _unsupported = folder.sync_all();
    }
    Ok(())
}

/// The file that a path means: links are followed, the last one also to what is not there yet.
fn followed(path: &Path) -> Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match std::fs::read_link(&path) {
            // An absolute link replaces the whole path.
            Ok(to) => path = path.parent().unwrap_or(Path::new("")).join(to),
            // What is no link, or is not there.
            Err(_) => return Ok(path),
        }
    }
    Err(Error::other("it is a link that leads to itself"))
}

/// What stands there now, if a plain write might replace it.
fn writable(target: &Path) -> Result<Option<Metadata>> {
    let existing = match std::fs::symlink_metadata(target) {
        Ok(existing) => existing,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !existing.is_file() {
        let kind = if existing.is_dir() {
            ErrorKind::IsADirectory
        } else {
            ErrorKind::InvalidInput
        };
        return Err(Error::new(kind, "what stands there is not a file"));
    }
    // The system lets its administrator write everything; who took the permission away meant it.
    if existing.permissions().readonly() {
        return Err(Error::new(
            ErrorKind::PermissionDenied,
            "the file that stands there may only be read",
        ));
    }
    OpenOptions::new().write(true).open(target)?;
    Ok(Some(existing))
}

/// What the names of all files begin with that are on their way to `target`.
fn prefix(target: &Path) -> Result<String> {
    let name = target
        .file_name()
        .ok_or_else(|| Error::new(ErrorKind::InvalidInput, "the path names no file"))?;
    // The name itself may be as long as names can be.
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    Ok(format!(".damper-{:016x}-", hasher.finish()))
}

/// Removes what killed processes left on the way to the same file. Who is alive holds a lock on its own.
fn clear(folder: &Path, prefix: &str) {
    // Where the folder may not be read, what is left stays.
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let left = entries.filter(|entry| {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        name.starts_with(prefix.as_bytes())
            && name.ends_with(ENDING.as_bytes())
            && entry.file_type().is_ok_and(|kind| kind.is_file())
    });
    for entry in left {
        let path = entry.path();
        if let Ok(file) = OpenOptions::new().write(true).open(&path)
            && file.try_lock().is_ok()
        {
            let _gone = std::fs::remove_file(path);
        }
    }
}

/// A new file in the folder, locked, with the permissions that the target has or would get.
fn scratch(folder: &Path, prefix: &str, existing: Option<&Metadata>) -> Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(ENDING);
    #[cfg(unix)]
    if existing.is_none() {
        use std::os::unix::fs::PermissionsExt;
        // As any new file: what the umask leaves of it.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    loop {
        let file = builder.tempfile_in(folder)?;
        match file.as_file().try_lock() {
            // A file system without locks: no other process takes it for abandoned, as none can lock it.
            Ok(()) | Err(TryLockError::Error(_)) => {}
            // Another process took it for abandoned before it was locked, and removes it.
            Err(TryLockError::WouldBlock) => continue,
        }
        if removed(file.as_file())? {
            continue;
        }
        if let Some(existing) = existing {
            keep(file.as_file(), existing)?;
        }
        return Ok(file);
    }
}

/// Whether the file has no name any more.
#[cfg(unix)]
fn removed(file: &File) -> Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(file.metadata()?.nlink() == 0)
}

#[cfg(not(unix))]
fn removed(_file: &File) -> Result<bool> {
    Ok(false)
}

/// Gives the new file owner and permissions of the one that it replaces.
fn keep(file: &File, existing: &Metadata) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (existing.uid(), existing.gid()) {
            // Most users may not give files away.
            let _theirs = fchown(file, Some(existing.uid()), Some(existing.gid()));
        }
    }
    file.set_permissions(existing.permissions())
}

#[cfg(test)]
mod tests {
    use super::{ENDING, prefix, write};
    use std::fs::{self, File};

    #[test]
    fn only_what_nobody_writes_to_the_same_file_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let prefix = prefix(&path("a.bpk")).unwrap();
        let left = path(&format!("{prefix}killed{ENDING}"));
        let written = path(&format!("{prefix}alive{ENDING}"));
        let others = path(".damper-0123456789abcdef-other.part");
        for path in [&left, &written, &others] {
            fs::write(path, "half").unwrap();
        }
        let alive = File::options().write(true).open(&written).unwrap();
        alive.lock().unwrap();
        write(&path("a.bpk"), b"whole").unwrap();
        assert_eq!(fs::read(path("a.bpk")).unwrap(), b"whole");
        assert!(!left.exists() && written.exists() && others.exists());
        drop(alive);
        write(&path("a.bpk"), b"again").unwrap();
        assert!(!written.exists() && others.exists());
    }

    #[test]
    fn writers_of_one_file_never_mix() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.bpk");
        std::thread::scope(|scope| {
            for letter in [b'a', b'b', b'c', b'd'] {
                let target = &target;
                scope.spawn(move || {
                    for _ in 0..50 {
                        write(target, &vec![letter; 100_000]).unwrap();
                        let read = fs::read(target).unwrap();
                        assert_eq!(read.len(), 100_000);
                        assert!(read.iter().all(|byte| *byte == read[0]));
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
