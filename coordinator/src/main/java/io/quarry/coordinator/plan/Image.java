package io.quarry.coordinator.plan;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Strategy;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** A disk or a snapshot, as callers see it. Metadata only: the bytes are in the image's volume. */
public record Image(
    String id,
    ImageKind kind,
    Visibility visibility,
    Content content,
    Options options,
    Instant createdAt) {

  /**
   * @param visible whether callers see the image; a hidden one is kept only while something depends
   *     on it
   * @param retainedUntil until when a removal can surely be undone; null for visible images and for
   *     those that never were
   */
  public record Visibility(boolean visible, @Nullable Instant retainedUntil) {
    public static final Visibility VISIBLE = new Visibility(true, null);

    /** Of an image that callers never saw. */
    static final Visibility INTERNAL = new Visibility(false, null);
  }

  /**
   * @param size virtual size in bytes
   * @param commit the last commit after which a writer could change the content; null for content
   *     that no writer could ever change
   */
  public record Content(long size, String volumeId, @Nullable Long commit) {
    /** No writer could ever change the content. */
    public Content(long size, String volumeId) {
      this(size, volumeId, null);
    }
  }

  /**
   * What callers decide.
   *
   * @param autoFix whether fixes that become possible later, such as cleaning it, queue themselves
   */
  public record Options(Strategy strategy, boolean autoFix, ObjectNode userData) {
    private Options autoFix(boolean newAutoFix) {
      return new Options(strategy, newAutoFix, userData);
    }

    private Options with(ObjectNode newUserData) {
      return new Options(strategy, autoFix, newUserData);
    }
  }

  public boolean visible() {
    return visibility.visible();
  }

  public @Nullable Instant retainedUntil() {
    return visibility.retainedUntil();
  }

  public long size() {
    return content.size();
  }

  public String volumeId() {
    return content.volumeId();
  }

  public @Nullable Long contentCommit() {
    return content.commit();
  }

  public Strategy strategy() {
    return options.strategy();
  }

  public boolean autoFix() {
    return options.autoFix();
  }

  public ObjectNode userData() {
    return options.userData();
  }

  Image hidden(boolean newAutoFix, Instant until) {
    return with(new Visibility(false, until)).with(options.autoFix(newAutoFix));
  }

  /** The same image, hidden and unknown to callers. */
  Image internal(String newId) {
    Content unchangeable = new Content(size(), volumeId());
    return new Image(newId, kind, Visibility.INTERNAL, unchangeable, options, createdAt);
  }

  Image visibleAgain() {
    return with(Visibility.VISIBLE);
  }

  /** The same image, visible again, with the new call's options. */
  Image copiedAgain(boolean newAutoFix, ObjectNode newUserData) {
    return visibleAgain().with(new Options(strategy(), newAutoFix, newUserData));
  }

  /** Whether callers know a hidden image: it was visible until its removal. */
  boolean wasVisible() {
    return retainedUntil() != null;
  }

  Image with(ObjectNode newUserData) {
    return with(options.with(newUserData));
  }

  Image sized(long newSize) {
    return with(new Content(newSize, volumeId(), contentCommit()));
  }

  Image on(String newVolumeId) {
    return with(new Content(size(), newVolumeId, contentCommit()));
  }

  /** A writer may change the content from that commit on. */
  Image changeableSince(long commit) {
    return with(new Content(size(), volumeId(), commit));
  }

  private Image with(Visibility newVisibility) {
    return new Image(id, kind, newVisibility, content, options, createdAt);
  }

  private Image with(Content newContent) {
    return new Image(id, kind, visibility, newContent, options, createdAt);
  }

  private Image with(Options newOptions) {
    return new Image(id, kind, visibility, content, newOptions, createdAt);
  }

  /** The fields in the log. */
  private record Fields(
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
      @Nullable Long contentCommit) {}

  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  private static Image of(Fields fields) {
    return new Image(
        fields.id,
        fields.kind,
        new Visibility(fields.visible, fields.retainedUntil),
        new Content(fields.size, fields.volumeId, fields.contentCommit),
        new Options(fields.strategy, fields.autoFix, fields.userData),
        fields.createdAt);
  }

  @JsonValue
  private Fields fields() {
    return new Fields(
        id,
        kind,
        visible(),
        size(),
        volumeId(),
        strategy(),
        autoFix(),
        createdAt,
        userData(),
        retainedUntil(),
        contentCommit());
  }
}
