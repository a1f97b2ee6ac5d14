package io.quarry.coordinator.plan;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Limits;
import io.quarry.coordinator.plan.FixState.Worker;
import org.jspecify.annotations.Nullable;

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

  /**
   * @param subject the argument that only a repository on a device can take
   */
  static StorageException noExtents(String subject) {
    return StorageException.invalid(
        subject,
        "the volumes of this repository are files of a filesystem, not extents of a device",
        "use a repository on a volume group");
  }

  static StorageException noSpace(String file, long missing, Extents extents) {
    return new StorageException(
        ErrorCode.NO_SPACE,
        "file "
            + file
            + " needs "
            + missing
            + " more extents, and "
            + extents.freeExtents()
            + " are free",
        file,
        "remove images and run the clean fixes, or make the repository larger");
  }

  /** The caller has read an older state of the log. */
  static StorageException fileGone(String file) {
    return new StorageException(
        ErrorCode.FIX_STALE,
        "file " + file + " is not one that a volume has or gets",
        file,
        "check again and use what it gives");
  }

  static StorageException fileNeeded(String file) {
    return new StorageException(
        ErrorCode.IMAGE_IN_USE,
        "file " + file + " is one that a volume has or gets",
        file,
        "remove the image instead");
  }

  static StorageException mapped(String file, Mapping mapping) {
    return new StorageException(
        ErrorCode.IMAGE_IN_USE,
        "host "
            + mapping.hostId()
            + " may still have the file "
            + file
            + " mapped, since commit "
            + mapping.since(),
        file,
        "wait until the host says that the mapping is gone; if the host is off, run `quarry host"
            + " fence "
            + mapping.hostId()
            + "`");
  }

  static StorageException mappedElsewhere(Mapping mapping) {
    return new StorageException(
        ErrorCode.IMAGE_IN_USE,
        "host "
            + mapping.hostId()
            + " has the file "
            + mapping.file()
            + " mapped in another boot, or another host has the name",
        mapping.file(),
        "call again; if another host has the name "
            + mapping.hostId()
            + ", give one of the two another name");
  }

  /** A claim that comes too late: no damage, another worker was faster. */
  static StorageException epochTaken(long epoch, Epoch held) {
    return new StorageException(
        ErrorCode.FIX_STALE,
        "epoch "
            + epoch
            + " of fix "
            + held.fixId()
            + (epoch == held.epoch() ? " is taken by " : " is over: a later one is taken by ")
            + named(held),
        held.fixId(),
        "claim the epoch after the newest one");
  }

  static StorageException epochNotHeld(
      String fixId, long epoch, Worker worker, @Nullable Epoch held) {
    return new StorageException(
        ErrorCode.FIX_STALE,
        "epoch "
            + epoch
            + " of fix "
            + fixId
            + (held == null ? " is not claimed" : " belongs to " + named(held))
            + ", so "
            + worker.hostId()
            + " cannot save its checkpoint",
        fixId,
        "stop this run; claim a new epoch if the fix is still needed");
  }

  private static String named(Epoch held) {
    return "host " + held.worker().hostId() + " (" + held.worker().incarnation() + ")";
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
