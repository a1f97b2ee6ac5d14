package io.quarry.coordinator.plan;

import io.quarry.common.model.FixType;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An outstanding fix. It exists as long as the damage does, whether or not anybody asked for it.
 *
 * @param id {@code <type>-<volumeId>}, so it is never reused; strays are named after their file
 * @param imageId the image it is about; null for strays
 * @param volumeId the volume it works on; null for strays
 * @param file the stray file
 * @param wanted whether it belongs into the queue
 * @param born who holds epoch 1 since the very commit that made the fix necessary
 * @param failures how often it failed for a reason other than I/O or a crash
 * @param parked failed too often; only an explicit fix call brings it back
 * @param since when it became necessary
 */
public record FixState(
    String id,
    FixType type,
    @Nullable String imageId,
    @Nullable String volumeId,
    @Nullable String file,
    boolean heavy,
    boolean wanted,
    @Nullable Worker born,
    int failures,
    boolean parked,
    @Nullable String lastError,
    Instant since) {

  /** After so many failures a fix is parked. */
  public static final int FAILURES_MAX = 5;

  /** Of an error that is kept. */
  static final int ERROR_CHARS_MAX = 1_000;

  /** One life of one host. */
  public record Worker(String hostId, String incarnation) {}

  public static String mendId(String volumeId) {
    return FixType.MEND.label() + "-" + volumeId;
  }

  public static String cleanId(String volumeId) {
    return FixType.CLEAN.label() + "-" + volumeId;
  }

  public static String strayId(String file) {
    return "stray-" + file;
  }

  static FixState mend(Volume volume, boolean wanted, @Nullable Worker born, Instant now) {
    return new FixState(
        mendId(volume.id()),
        FixType.MEND,
        volume.imageId(),
        volume.id(),
        null,
        volume.heavy(),
        wanted,
        born,
        0,
        false,
        null,
        now);
  }

  static FixState clean(Volume volume, boolean wanted, Instant now) {
    return new FixState(
        cleanId(volume.id()),
        FixType.CLEAN,
        volume.imageId(),
        volume.id(),
        null,
        false,
        wanted,
        null,
        0,
        false,
        null,
        now);
  }

  static FixState stray(String file, Instant now) {
    return new FixState(
        strayId(file), FixType.CLEAN, null, null, file, false, true, null, 0, false, null, now);
  }

  FixState about(String newImageId) {
    return new FixState(
        id,
        type,
        newImageId,
        volumeId,
        file,
        heavy,
        wanted,
        born,
        failures,
        parked,
        lastError,
        since);
  }

  FixState asked() {
    return new FixState(
        id, type, imageId, volumeId, file, heavy, true, born, 0, false, null, since);
  }

  FixState stopped(String error) {
    return new FixState(
        id, type, imageId, volumeId, file, heavy, false, born, failures, false, cut(error), since);
  }

  /** A tool can say more than anybody wants to keep in every checkpoint. */
  private static String cut(String error) {
    return error.length() <= ERROR_CHARS_MAX ? error : error.substring(0, ERROR_CHARS_MAX) + "…";
  }

  FixState failed(String error) {
    boolean park = failures + 1 >= FAILURES_MAX;
    return new FixState(
        id,
        type,
        imageId,
        volumeId,
        file,
        heavy,
        wanted && !park,
        born,
        failures + 1,
        park,
        cut(error),
        since);
  }
}
