package io.quarry.coordinator.plan;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Limits;

/** The errors of requests that cannot be planned. Each names its subject and a remedy. */
final class PlanErrors {
  private PlanErrors() {}

  static StorageException imageNotFound(String imageId) {
    return new StorageException(
        ErrorCode.IMAGE_NOT_FOUND,
        "there is no image " + imageId + " in this repository",
        imageId,
        "list the repository's images; among the removed ones it may be one that can be restored");
  }

  static StorageException featureUnknown(Feature feature) {
    return new StorageException(
        ErrorCode.AGENT_TOO_OLD,
        "the SDM does not know the feature " + feature.name(),
        feature.name(),
        "upgrade all agents first");
  }

  static StorageException imageExists(String imageId) {
    return exists("image", imageId);
  }

  /** Each call makes fresh ids; a request with a used id must not change the entity that has it. */
  static StorageException exists(String what, String id) {
    return StorageException.invalid(
        id, "the " + what + " " + id + " exists already", "repeat the call; ids are fresh");
  }

  static StorageException wrongKind(Image image, ImageKind wanted) {
    return new StorageException(
        ErrorCode.IMAGE_KIND_MISMATCH,
        "image " + image.id() + " is a " + image.kind().label() + ", not a " + wanted.label(),
        image.id(),
        wanted == ImageKind.SNAPSHOT
            ? "create a snapshot of the disk first and use the snapshot"
            : "create a virtual disk over the snapshot first and use the disk");
  }

  static StorageException snapshotForWriting(Image image) {
    return new StorageException(
        ErrorCode.IMAGE_KIND_MISMATCH,
        "image " + image.id() + " is a Snapshot, which is never written to",
        image.id(),
        "open it read-only (readOnly: true, on the command line --read-only), or create a virtual"
            + " disk over it and open that");
  }

  static StorageException broken(Image image, RepositoryState state) {
    return new StorageException(
        ErrorCode.IMAGE_BROKEN,
        "image " + image.id() + " is broken: " + Condition.reason(state, image),
        image.id(),
        "wait until its status is optimized, or see what check says about it");
  }

  /** A chain goes through two repositories at most, so that one pin keeps the whole base. */
  static StorageException elsewhere(Image image, RepositoryState state) {
    return new StorageException(
        ErrorCode.IMAGE_BROKEN,
        "image "
            + image.id()
            + " cannot be a base elsewhere yet: "
            + Condition.reason(state, image),
        image.id(),
        "wait until its status is optimized, or copy the image and use the copy");
  }

  static StorageException inUse(Image image, Open open) {
    return new StorageException(
        ErrorCode.IMAGE_IN_USE,
        "image "
            + image.id()
            + " is open on host "
            + open.hostId()
            + (open.owner() == null ? "" : " by " + open.owner()),
        image.id(),
        "close it (open id " + open.id() + ") and call again");
  }

  /** A removal would take the disk away from a running VM. */
  static StorageException written(Image image, Open open) {
    return new StorageException(
        ErrorCode.IMAGE_IN_USE,
        "image "
            + image.id()
            + " is open for writing on host "
            + open.hostId()
            + (open.owner() == null ? "" : " by " + open.owner())
            + " (open id "
            + open.id()
            + ")",
        image.id(),
        "close it with that open id and call again; force=true (on the command line --force)"
            + " removes it now and deletes its data when it is closed");
  }

  static StorageException openNotFound(String imageId, String openId) {
    return new StorageException(
        ErrorCode.OPEN_NOT_FOUND,
        "image " + imageId + " has no open " + openId,
        openId,
        "it was closed already, or belongs to another image");
  }

  static StorageException fixNotFound(String fixId) {
    return new StorageException(
        ErrorCode.FIX_NOT_FOUND,
        "there is no fix " + fixId + " in this repository",
        fixId,
        "list the fixes; one that is done, or whose image is gone, is not among them");
  }

  static StorageException stale(String fixId, String why) {
    return new StorageException(
        ErrorCode.FIX_STALE,
        "fix " + fixId + " no longer applies: " + why,
        fixId,
        "check again and use what it gives");
  }

  static void checkSize(long size) {
    if (!Limits.isImageSize(size)) {
      throw StorageException.invalid(
          "size",
          "size is " + size + " bytes",
          "give a multiple of "
              + Limits.SECTOR_BYTES
              + " between "
              + Limits.SECTOR_BYTES
              + " and "
              + Limits.IMAGE_BYTES_MAX);
    }
  }
}
