package io.quarry.coordinator.plan;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Strategy;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A disk or a snapshot, as callers see it. Metadata only: the bytes are in the image's volume.
 *
 * @param visible whether callers see the image; a hidden one is kept only while something depends
 *     on it
 * @param size virtual size in bytes
 * @param retainedUntil until when a removal can surely be undone; null for visible images and for
 *     those that never were
 * @param contentCommit the last commit after which a writer could change the content; null for
 *     content that no writer could ever change
 * @param autoFix whether fixes that become possible later, such as cleaning it, queue themselves
 */
public record Image(
    String id,
    ImageKind kind,
    @JsonProperty("strong") boolean visible,
    long size,
    String volumeId,
    Strategy strategy,
    boolean autoFix,
    Instant createdAt,
    ObjectNode userData,
    @Nullable Instant retainedUntil,
    @Nullable Long contentCommit) {

  static Image visible(
      String id,
      ImageKind kind,
      long size,
      String volumeId,
      Strategy strategy,
      boolean autoFix,
      Instant createdAt,
      ObjectNode userData) {
    return new Image(
        id, kind, true, size, volumeId, strategy, autoFix, createdAt, userData, null, null);
  }

  Image hidden(boolean newAutoFix, Instant until) {
    return new Image(
        id,
        kind,
        false,
        size,
        volumeId,
        strategy,
        newAutoFix,
        createdAt,
        userData,
        until,
        contentCommit);
  }

  /** The same image, hidden and unknown to callers. */
  Image internal(String newId) {
    return new Image(
        newId, kind, false, size, volumeId, strategy, autoFix, createdAt, userData, null, null);
  }

  Image visibleAgain() {
    return new Image(
        id,
        kind,
        true,
        size,
        volumeId,
        strategy,
        autoFix,
        createdAt,
        userData,
        null,
        contentCommit);
  }

  /** The same image, visible again, with the new call's options. */
  Image copiedAgain(boolean newAutoFix, ObjectNode newUserData) {
    return new Image(
        id,
        kind,
        true,
        size,
        volumeId,
        strategy,
        newAutoFix,
        createdAt,
        newUserData,
        null,
        contentCommit);
  }

  /** Whether callers know a hidden image: it was visible until its removal. */
  boolean wasVisible() {
    return retainedUntil != null;
  }

  Image with(ObjectNode newUserData) {
    return new Image(
        id,
        kind,
        visible,
        size,
        volumeId,
        strategy,
        autoFix,
        createdAt,
        newUserData,
        retainedUntil,
        contentCommit);
  }

  Image sized(long newSize) {
    return new Image(
        id,
        kind,
        visible,
        newSize,
        volumeId,
        strategy,
        autoFix,
        createdAt,
        userData,
        retainedUntil,
        contentCommit);
  }

  Image on(String newVolumeId) {
    return new Image(
        id,
        kind,
        visible,
        size,
        newVolumeId,
        strategy,
        autoFix,
        createdAt,
        userData,
        retainedUntil,
        contentCommit);
  }

  /** A writer may change the content from that commit on. */
  Image changeableSince(long commit) {
    return new Image(
        id,
        kind,
        visible,
        size,
        volumeId,
        strategy,
        autoFix,
        createdAt,
        userData,
        retainedUntil,
        commit);
  }
}
