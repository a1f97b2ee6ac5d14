package io.quarry.coordinator.plan;

import io.quarry.common.model.FixType;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An outstanding fix. A fix exists as long as the damage does, whether or not it is requested.
 *
 * @param id {@code <type>-<volumeId>}; a orphaned fix is named after its file. A clean that became
 *     needless and is needed again has the same id, with epochs from 1 on
 * @param imageId the image to fix; null for orphans
 * @param volumeId the volume to make or clean; null for orphans
 * @param file the orphaned file
 * @param heavy whether the fix moves data: heavy fixes are claimed on the storage, light ones are
 *     granted
 * @param wanted whether the fix is requested
 * @param epoch of the latest grant; 0 when there was none
 * @param worker the holder of that grant, or null
 * @param failures how often the fix failed for a reason other than I/O or a crash
 * @param parked whether the fix failed too often; only an explicit fix call resumes a parked fix
 * @param pausedSince since when the fix is paused: no worker takes it until it is resumed; null
 *     when not paused
 * @param retryAt when to try again after a failure, or until when a removal can be undone without
 *     loss
 * @param since when the fix became necessary
 */
public record FixState(
    String id,
    FixType type,
    @Nullable String imageId,
    @Nullable String volumeId,
    @Nullable String file,
    boolean heavy,
    boolean wanted,
    long epoch,
    @Nullable Worker worker,
    int failures,
    boolean parked,
    @Nullable Instant pausedSince,
    @Nullable String lastError,
    @Nullable Instant retryAt,
    Instant since) {

  /** After this many failures a fix is parked. */
  public static final int FAILURES_MAX = 5;

  /** The pause after the first failure; each later failure doubles the pause. */
  private static final Duration RETRY_PAUSE = Duration.ofSeconds(1);

  /** The part of an error that a fix keeps. */
  static final int ERROR_CHARS_MAX = 1_000;

  /** One life of one host. */
  public record Worker(String hostId, String incarnation) {}

  public static String mendId(String volumeId) {
    return FixType.MEND.label() + "-" + volumeId;
  }

  public static String cleanId(String volumeId) {
    return FixType.CLEAN.label() + "-" + volumeId;
  }

  /** A orphaned file may be in a directory; ids hold no slash. */
  public static String orphanId(String file) {
    return "stray-" + file.replace('/', '.');
  }

  /** Whether the fix with that id frees space. */
  static boolean frees(String id) {
    return id.startsWith(cleanId("")) || id.startsWith(orphanId(""));
  }

  /** The fix that makes the volume. */
  public static String makerId(Volume volume) {
    return makerType(volume).label() + "-" + volume.id();
  }

  private static FixType makerType(Volume volume) {
    if (volume.replaces() != null) {
      return volume.replaces().by();
    }
    return volume.source() == null || volume.source().by() == null
        ? FixType.MEND
        : volume.source().by();
  }

  /**
   * @param notBefore when to begin, or null
   */
  static FixState maker(Volume volume, boolean wanted, @Nullable Instant notBefore, Instant now) {
    return new FixState(
        makerId(volume),
        makerType(volume),
        volume.imageId(),
        volume.id(),
        null,
        volume.heavy(),
        wanted,
        0,
        null,
        0,
        false,
        null,
        null,
        notBefore,
        now);
  }

  /**
   * @param maker the fix that the clean replaces. The clean continues the maker's epochs, and so
   *     knows which files the maker may have left
   * @param notBefore until when the volume's image is retained
   */
  static FixState clean(
      Volume volume,
      boolean wanted,
      @Nullable FixState maker,
      @Nullable Instant notBefore,
      Instant now) {
    return new FixState(
        cleanId(volume.id()),
        FixType.CLEAN,
        volume.imageId(),
        volume.id(),
        null,
        false,
        wanted,
        maker == null ? 0 : maker.epoch(),
        null,
        0,
        false,
        null,
        null,
        notBefore,
        now);
  }

  static FixState orphan(String file, Instant now) {
    return new FixState(
        orphanId(file),
        FixType.CLEAN,
        null,
        null,
        file,
        false,
        true,
        0,
        null,
        0,
        false,
        null,
        null,
        null,
        now);
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
        epoch,
        worker,
        failures,
        parked,
        pausedSince,
        lastError,
        retryAt,
        since);
  }

  /** Whether a worker may take the fix when its turn comes. */
  public boolean runnable() {
    return wanted && !paused();
  }

  public boolean paused() {
    return pausedSince != null;
  }

  FixState paused(Instant now) {
    return pausedSince(now);
  }

  FixState resumed() {
    return pausedSince(null);
  }

  /** Pausing and resuming both end the worker's grant. */
  private FixState pausedSince(@Nullable Instant when) {
    return new FixState(
        id, type, imageId, volumeId, file, heavy, wanted, epoch, null, failures, parked, when,
        lastError, retryAt, since);
  }

  /** Grants the next epoch to that worker. */
  FixState grantedTo(Worker holder) {
    return with(wanted, epoch + 1, holder, failures, parked, lastError, retryAt);
  }

  FixState asked(@Nullable Instant notBefore) {
    return with(true, epoch, worker, 0, false, null, notBefore);
  }

  /** Continues the epochs of another fix about the same volume. */
  FixState after(@Nullable FixState earlier) {
    long newEpoch = earlier == null ? epoch : Math.max(epoch, earlier.epoch());
    return with(wanted, newEpoch, worker, failures, parked, lastError, retryAt);
  }

  /**
   * Whether the fix waits for {@link #retryAt}, until when a removal can be undone without loss.
   */
  public boolean retained() {
    return failures == 0 && retryAt != null;
  }

  /** Ends the retention. A request to free the volume's space is a request for this clean. */
  FixState ofTombstone(boolean asked) {
    boolean nowWanted = wanted || (asked && !parked);
    return with(nowWanted, epoch, worker, failures, parked, lastError, retained() ? null : retryAt);
  }

  FixState stopped(String error) {
    return with(false, epoch, null, failures, false, cut(error), null);
  }

  FixState failed(String error, Instant now) {
    int newFailures = failures + 1;
    boolean park = newFailures >= FAILURES_MAX;
    return with(
        wanted && !park,
        epoch,
        null,
        newFailures,
        park,
        cut(error),
        park ? null : now.plus(RETRY_PAUSE.multipliedBy(1L << failures)));
  }

  private FixState with(
      boolean nowWanted,
      long newEpoch,
      @Nullable Worker holder,
      int newFailures,
      boolean nowParked,
      @Nullable String error,
      @Nullable Instant newRetryAt) {
    return new FixState(
        id,
        type,
        imageId,
        volumeId,
        file,
        heavy,
        nowWanted,
        newEpoch,
        holder,
        newFailures,
        nowParked,
        pausedSince,
        error,
        newRetryAt,
        since);
  }

  /** A tool's output can be too long to keep in every checkpoint. */
  static String cut(@Nullable String error) {
    String text = error == null ? "" : error;
    return text.length() <= ERROR_CHARS_MAX ? text : text.substring(0, ERROR_CHARS_MAX) + "…";
  }
}
