//! The images of a folder that has one folder for each class.

use crate::data::error::DataError;
use image::ImageFormat;
use std::fs;
use std::io::Error;
use std::path::{Path, PathBuf};

/// The classes of a folder, sorted, and its images, each with the index of its class.
pub(super) struct Found {
    pub(super) classes: Vec<String>,
    pub(super) files: Vec<(PathBuf, usize)>,
}

/// The images of all classes.
pub(super) fn find_images(folder: &Path) -> Result<Found, DataError> {
    let shown = folder.display();
    let (folders, files) = entries(folder)?;
    let one_for_each =
        || format!("make one folder for each class: `{shown}/cat/1.png`, `{shown}/dog/1.png`");
    if let Some(file) = files.first() {
        return Err(DataError::Folder {
            what: format!(
                "the image `{}` is not in the folder of a class",
                file.display()
            ),
            help: one_for_each(),
        });
    }
    if folders.is_empty() {
        return Err(DataError::Folder {
            what: format!("the folder `{shown}` has no classes"),
            help: one_for_each(),
        });
    }
    let (mut classes, mut found) = (Vec::new(), Vec::new());
    for (index, folder) in folders.iter().enumerate() {
        let (class, files) = class(folder)?;
        classes.push(class);
        found.extend(files.into_iter().map(|file| (file, index)));
    }
    Ok(Found {
        classes,
        files: found,
    })
}

/// The name of a class, and its images.
fn class(folder: &Path) -> Result<(String, Vec<PathBuf>), DataError> {
    let shown = folder.display();
    let (inside, files) = entries(folder)?;
    if files.is_empty() {
        let help = match inside.first() {
            Some(deeper) => format!(
                "it has the folder `{}`: if the classes are one level deeper, write `data::images(\"{shown}\")`",
                deeper.display()
            ),
            None => "put images there (`.png`, `.jpg`), or remove the folder".to_owned(),
        };
        return Err(DataError::Folder {
            what: format!("the class `{shown}` has no images"),
            help,
        });
    }
    if let Some(folder) = inside.iter().find(|folder| is_image(folder)) {
        return Err(DataError::Image {
            file: folder.display().to_string(),
            reason: "it is a folder, not a file".to_owned(),
        });
    }
    // Two names that are not UTF-8 could look the same, and would become one class.
    match folder.file_name().and_then(|name| name.to_str()) {
        Some(name) => Ok((name.to_owned(), files)),
        None => Err(DataError::Folder {
            what: format!("the class `{shown}` has a name that is not UTF-8"),
            help: "rename the folder".to_owned(),
        }),
    }
}

/// The folders and the images in a folder, each sorted.
fn entries(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), DataError> {
    let bad = |error: Error| DataError::File {
        file: folder.display().to_string(),
        reason: error.to_string(),
    };
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder).map_err(bad)? {
        let path = entry.map_err(bad)?.path();
        if name(&path).starts_with('.') {
            continue;
        }
        if path.is_dir() {
            folders.push(path);
        } else if ImageFormat::from_path(&path).is_ok() {
            if !is_image(&path) {
                return Err(DataError::Image {
                    file: path.display().to_string(),
                    reason: "only PNG and JPEG can be read".to_owned(),
                });
            }
            files.push(path);
        }
    }
    folders.sort();
    files.sort();
    Ok((folders, files))
}

/// True for a name that ends like those of the images that are read.
fn is_image(path: &Path) -> bool {
    matches!(
        ImageFormat::from_path(path),
        Ok(ImageFormat::Png | ImageFormat::Jpeg)
    )
}

/// The file's name, or nothing.
fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}
