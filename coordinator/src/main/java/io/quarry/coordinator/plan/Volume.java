package io.quarry.coordinator.plan;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import io.quarry.common.model.FixType;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.FixState.Worker;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The hidden bytes behind an image.
 *
 * @param imageId the image it belongs to; after its removal, the one it belonged to
 * @param stage how far the volume is; the only place where "broken" is recorded
 * @param file name of the one file that holds the volume's content, once published
 * @param writer the worker that may be writing the layers above down into the volume; the volume's
 *     own image has lost its content by then
 * @param witness the size and time of its file at the freeze; null when the file is writable, or
 *     when no host has looked since
 */
public record Volume(
    String id,
    String imageId,
    Shape shape,
    Origin origin,
    Stage stage,
    @Nullable String file,
    @Nullable Writer writer,
    @Nullable Witness witness) {

  /**
   * @param size virtual size in bytes
   * @param parentImageId the image it is an overlay of
   */
  public record Shape(VolumeFormat format, long size, @Nullable String parentImageId) {}

  /**
   * Where the content comes from.
   *
   * @param source where the content is copied from, for copies
   * @param replaces the volume of the same image that this one will replace, and why
   * @param baseSource where the parent is read as long as it is not whole in this repository; null
   *     for volumes that need no other repository
   */
  public record Origin(
      @Nullable CopySource source, @Nullable Replaced replaces, @Nullable CopySource baseSource) {
    public static final Origin NONE = new Origin(null, null, null);

    public static Origin copyOf(CopySource source) {
      return new Origin(source, null, null);
    }

    public static Origin replacing(Replaced replaced) {
      return new Origin(null, replaced, null);
    }

    public static Origin over(@Nullable CopySource baseSource) {
      return new Origin(null, null, baseSource);
    }
  }

  /** The log records an intent before files exist, and a tombstone before they are unlinked. */
  public enum Stage {
    /** Recorded, not yet usable: files may exist but no reader may use them. */
    INTENDED,
    /** Whole: {@link Volume#file} holds its content. */
    READY,
    /** No image needs the volume; a worker removes its files. */
    TOMBSTONED
  }

  /**
   * @param repositoryKey the repository that holds the source
   * @param imageId the snapshot, visible or hidden, whose content is copied
   * @param pinId the pin in the source's log that keeps that snapshot
   * @param by the type of the fix that copies the source; null for a mend. A base is copied by an
   *     optimize: the images over it are usable before, but degraded
   */
  public record CopySource(
      String repositoryKey, String imageId, String pinId, @Nullable FixType by) {
    public CopySource(String repositoryKey, String imageId, String pinId) {
      this(repositoryKey, imageId, pinId, null);
    }

    CopySource ofBase() {
      return new CopySource(repositoryKey, imageId, pinId, FixType.OPTIMIZE);
    }
  }

  /**
   * @param volumeId the volume that is replaced
   * @param by the type of the fix that makes the new one
   */
  public record Replaced(String volumeId, FixType by) {}

  /**
   * The size and time of a frozen file, in logs with {@link Feature#WITNESSES}. If the file has
   * another size or time now, a process unknown to Quarry wrote to it. The reverse does not hold: a
   * process that may write to a file may also set its time.
   *
   * @param size of the file in bytes
   * @param modified when its content was last written
   */
  public record Witness(long size, Instant modified) {}

  /** A volume that has yet to be made. */
  public Volume(String id, String imageId, Shape shape, Origin origin) {
    this(id, imageId, shape, origin, Stage.INTENDED, null, null, null);
  }

  public VolumeFormat format() {
    return shape.format();
  }

  public long size() {
    return shape.size();
  }

  public @Nullable String parentImageId() {
    return shape.parentImageId();
  }

  public @Nullable CopySource source() {
    return origin.source();
  }

  public @Nullable Replaced replaces() {
    return origin.replaces();
  }

  public @Nullable CopySource baseSource() {
    return origin.baseSource();
  }

  /**
   * The only worker that may write to the volume. Another worker may, once this one has said that
   * it stopped, or is proven dead.
   *
   * @param fixId the merge in place
   * @param worker the life of the host that runs the fix
   * @param epoch of the fix: a host may let go of the fix, and take it again
   */
  public record Writer(String fixId, Worker worker, long epoch) {}

  /** The volume that an upload fills; its epochs count as those of replacements do. */
  static Volume uploaded(String id, Image disk, Layout layout) {
    Origin origin = Origin.replacing(new Replaced(disk.volumeId(), FixType.OPTIMIZE));
    return new Volume(id, disk.id(), layout.over(disk.size(), null), origin);
  }

  /**
   * Copies and replacements move data and go through the queue; other volumes are made in
   * milliseconds.
   */
  public boolean heavy() {
    return source() != null || replaces() != null;
  }

  /**
   * Whether no process may write to the volume's file. Three kinds are writable: the volume of a
   * disk, an unmade volume, and a volume that a merge writes down into. Logs without {@link
   * Feature#WITNESSES} freeze no file: an older agent would fail to merge into a frozen one.
   */
  public boolean isFrozen(RepositoryState state) {
    Image owner = state.images().get(imageId);
    boolean ofDisk =
        owner != null && owner.kind() == ImageKind.VIRTUAL_DISK && owner.volumeId().equals(id);
    return state.freezesFiles() && stage == Stage.READY && writer == null && !ofDisk;
  }

  /**
   * The file that the worker of an epoch writes. No two epochs share a file unless the earlier
   * worker is proven dead.
   */
  public String fileOfEpoch(long epoch) {
    return VolumeName.of(id, epoch, format()).text();
  }

  /**
   * The file that an epoch receives before it is a volume's content; no tool opens it as a disk.
   */
  public String uploadOfEpoch(long epoch) {
    return VolumeName.upload(id, epoch).text();
  }

  /** Whether the file belongs to that epoch, or to an earlier one whose worker was proven dead. */
  boolean mayBePublished(String published, long epoch) {
    VolumeName name = VolumeName.parse(published);
    return name != null
        && name.epoch() >= 1
        && name.epoch() <= epoch
        && fileOfEpoch(name.epoch()).equals(published);
  }

  Volume ownedBy(String newImageId) {
    return new Volume(id, newImageId, shape, origin, stage, file, writer, witness);
  }

  Volume over(@Nullable String newParentImageId) {
    return with(new Shape(format(), size(), newParentImageId));
  }

  Volume sized(long newSize) {
    return with(new Shape(format(), newSize, parentImageId()));
  }

  private Volume with(Shape newShape) {
    return new Volume(id, imageId, newShape, origin, stage, file, writer, witness);
  }

  Volume writtenBy(@Nullable Writer newWriter) {
    Witness kept = newWriter == null ? witness : null;
    return new Volume(id, imageId, shape, origin, stage, file, newWriter, kept);
  }

  Volume witnessed(Witness seen) {
    return new Volume(id, imageId, shape, origin, stage, file, writer, seen);
  }

  public Volume ready(String publishedFile) {
    return new Volume(id, imageId, shape, origin, Stage.READY, publishedFile, writer, witness);
  }

  Volume tombstoned() {
    return new Volume(id, imageId, shape, origin, Stage.TOMBSTONED, file, writer, null);
  }

  /** The fields in the log. */
  private record Fields(
      String id,
      String imageId,
      VolumeFormat format,
      long size,
      @Nullable String parentImageId,
      Stage stage,
      @Nullable String file,
      @Nullable CopySource source,
      @Nullable Replaced replaces,
      @Nullable CopySource baseSource,
      @Nullable Writer writer,
      @Nullable Witness witness) {}

  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  private static Volume of(Fields fields) {
    return new Volume(
        fields.id,
        fields.imageId,
        new Shape(fields.format, fields.size, fields.parentImageId),
        new Origin(fields.source, fields.replaces, fields.baseSource),
        fields.stage,
        fields.file,
        fields.writer,
        fields.witness);
  }

  @JsonValue
  private Fields fields() {
    return new Fields(
        id,
        imageId,
        format(),
        size(),
        parentImageId(),
        stage,
        file,
        source(),
        replaces(),
        baseSource(),
        writer,
        witness);
  }
}
