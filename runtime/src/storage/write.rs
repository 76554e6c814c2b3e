//! Atomic writes.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Longer chains of links are treated as a cycle, as Linux does.
const MOST_LINKS: usize = 40;

const ENDING: &str = ".part";

/// Writes the whole file or nothing: to a temporary file in the same folder, which is synced and renamed.
///
/// It fails where a plain write would fail (a read-only file, a folder, a pipe). A replaced file keeps its permissions
/// and, where the system allows it, its owner. A link stays, and its target is replaced or created.
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
    // The file is complete and renamed. Syncing the folder needs permission to read it; without it, the save has still
    // succeeded.
    #[cfg(unix)]
    if let Ok(folder) = File::open(folder) {
        let _unsupported = folder.sync_all();
    }
    Ok(())
}

/// The path after following all links. The target of the last one need not exist.
fn followed(path: &Path) -> Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match std::fs::read_link(&path) {
            // An absolute link replaces the whole path.
            Ok(to) => path = path.parent().unwrap_or(Path::new("")).join(to),
            // Not a link, or nothing there.
            Err(_) => return Ok(path),
        }
    }
    Err(Error::other("it is a link that leads to itself"))
}

/// The existing file, if there is one. An error if a plain write could not replace it.
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
        return Err(Error::new(
            kind,
            "the path exists, but is not a regular file",
        ));
    }
    // The administrator may write to every file. A read-only file is respected all the same.
    if existing.permissions().readonly() {
        return Err(Error::new(
            ErrorKind::PermissionDenied,
            "the existing file is read-only",
        ));
    }
    OpenOptions::new().write(true).open(target)?;
    Ok(Some(existing))
}

/// The common prefix of all temporary files for `target`.
fn prefix(target: &Path) -> Result<String> {
    let name = target
        .file_name()
        .ok_or_else(|| Error::new(ErrorKind::InvalidInput, "the path names no file"))?;
    // The name of the target itself may already have the maximal length.
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    Ok(format!(".damper-{:016x}-", hasher.finish()))
}

/// Removes temporary files that killed processes left for the same target. Running processes hold a lock on theirs.
fn clear(folder: &Path, prefix: &str) {
    // If the folder cannot be read, they stay.
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

/// A new locked file in the folder, with the permissions that the target has or would get.
fn scratch(folder: &Path, prefix: &str, existing: Option<&Metadata>) -> Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(ENDING);
    #[cfg(unix)]
    if existing.is_none() {
        use std::os::unix::fs::PermissionsExt;
        // Like any new file, less the umask.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    loop {
        let file = builder.tempfile_in(folder)?;
        match file.as_file().try_lock() {
            // A file system without locks: no other process can lock the file, so none treats it as abandoned.
            Ok(()) | Err(TryLockError::Error(_)) => {}
            // Another process treated it as abandoned before it was locked, and removes it.
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

/// Whether the file has been deleted.
#[cfg(unix)]
fn removed(file: &File) -> Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(file.metadata()?.nlink() == 0)
}

#[cfg(not(unix))]
fn removed(_file: &File) -> Result<bool> {
    Ok(false)
}

/// Sets the owner and the permissions of the file that is replaced.
fn keep(file: &File, existing: &Metadata) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (existing.uid(), existing.gid()) {
            // Most users may not change the owner.
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
