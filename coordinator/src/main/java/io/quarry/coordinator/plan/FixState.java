package io.quarry.coordinator.plan;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import io.quarry.common.model.FixType;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An outstanding fix. A fix exists as long as the damage does, whether or not it is requested.
 *
 * @param id {@code <type>-<volumeId>}; a orphaned fix is named after its file. A clean that became
 *     needless and is needed again has the same id, with epochs from 1 on
 * @param since when the fix became necessary
 */
public record FixState(
    String id, Subject subject, Schedule schedule, Grant grant, Attempts attempts, Instant since) {

  /**
   * What the fix does.
   *
   * @param imageId the image to fix; null for orphans
   * @param volumeId the volume to make or clean; null for orphans
   * @param file the orphaned file
   * @param heavy whether the fix moves data: heavy fixes are claimed on the storage, light ones are
   *     granted
   */
  public record Subject(
      FixType type,
      @Nullable String imageId,
      @Nullable String volumeId,
      @Nullable String file,
      boolean heavy) {
    private static Subject of(Volume volume, FixType type, boolean heavy) {
      return new Subject(type, volume.imageId(), volume.id(), null, heavy);
    }

    private Subject about(String newImageId) {
      return new Subject(type, newImageId, volumeId, file, heavy);
    }
  }

  /**
   * When the fix may run.
   *
   * @param wanted whether the fix is requested
   * @param pausedSince since when the fix is paused: no worker takes it until it is resumed; null
   *     when not paused
   * @param retryAt when to try again after a failure, or until when a removal can be undone without
   *     loss
   */
  public record Schedule(boolean wanted, @Nullable Instant pausedSince, @Nullable Instant retryAt) {
    private Schedule wanted(boolean nowWanted, @Nullable Instant notBefore) {
      return new Schedule(nowWanted, pausedSince, notBefore);
    }

    private Schedule pausedSince(@Nullable Instant when) {
      return new Schedule(wanted, when, retryAt);
    }
  }

  /**
   * @param epoch of the latest grant; 0 when there was none
   * @param worker the holder of that grant, or null
   */
  public record Grant(long epoch, @Nullable Worker worker) {
    private Grant ended() {
      return new Grant(epoch, null);
    }
  }

  /**
   * @param failures how often the fix failed for a reason other than I/O or a crash
   * @param parked whether the fix failed too often; only an explicit fix call resumes a parked fix
   */
  public record Attempts(int failures, boolean parked, @Nullable String lastError) {
    private static final Attempts NONE = new Attempts(0, false, null);

    private Attempts stopped(String error) {
      return new Attempts(failures, false, cut(error));
    }

    private Attempts failed(String error) {
      return new Attempts(failures + 1, failures + 1 >= FAILURES_MAX, cut(error));
    }
  }

  /** After this many failures a fix is parked. */
  public static final int FAILURES_MAX = 5;

  /** The pause after the first failure; each later failure doubles the pause. */
  private static final Duration RETRY_PAUSE = Duration.ofSeconds(1);

  /** The part of an error that a fix keeps. */
  static final int ERROR_CHARS_MAX = 1_000;

  /** One life of one host. */
  public record Worker(String hostId, String incarnation) {}

  /** A fix that no worker has begun. */
  public FixState(
      String id, Subject subject, boolean wanted, @Nullable Instant notBefore, Instant since) {
    this(
        id,
        subject,
        new Schedule(wanted, null, notBefore),
        new Grant(0, null),
        Attempts.NONE,
        since);
  }

  public FixType type() {
    return subject.type();
  }

  public @Nullable String imageId() {
    return subject.imageId();
  }

  public @Nullable String volumeId() {
    return subject.volumeId();
  }

  public @Nullable String file() {
    return subject.file();
  }

  public boolean heavy() {
    return subject.heavy();
  }

  public boolean wanted() {
    return schedule.wanted();
  }

  public @Nullable Instant pausedSince() {
    return schedule.pausedSince();
  }

  public @Nullable Instant retryAt() {
    return schedule.retryAt();
  }

  public long epoch() {
    return grant.epoch();
  }

  public @Nullable Worker worker() {
    return grant.worker();
  }

  public int failures() {
    return attempts.failures();
  }

  public boolean parked() {
    return attempts.parked();
  }

  public @Nullable String lastError() {
    return attempts.lastError();
  }

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
    Subject subject = Subject.of(volume, makerType(volume), volume.heavy());
    return new FixState(makerId(volume), subject, wanted, notBefore, now);
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
    Subject subject = Subject.of(volume, FixType.CLEAN, false);
    return new FixState(cleanId(volume.id()), subject, wanted, notBefore, now).after(maker);
  }

  static FixState orphan(String file, Instant now) {
    Subject subject = new Subject(FixType.CLEAN, null, null, file, false);
    return new FixState(orphanId(file), subject, true, null, now);
  }

  FixState about(String newImageId) {
    return new FixState(id, subject.about(newImageId), schedule, grant, attempts, since);
  }

  /** Whether a worker may take the fix when its turn comes. */
  public boolean runnable() {
    return wanted() && !paused();
  }

  public boolean paused() {
    return pausedSince() != null;
  }

  FixState paused(Instant now) {
    return pausedSince(now);
  }

  FixState resumed() {
    return pausedSince(null);
  }

  /** Pausing and resuming both end the worker's grant. */
  private FixState pausedSince(@Nullable Instant when) {
    return with(schedule.pausedSince(when), grant.ended(), attempts);
  }

  /** Grants the next epoch to that worker. */
  FixState grantedTo(Worker holder) {
    return with(schedule, new Grant(epoch() + 1, holder), attempts);
  }

  FixState asked(@Nullable Instant notBefore) {
    return with(schedule.wanted(true, notBefore), grant, Attempts.NONE);
  }

  /** Continues the epochs of another fix about the same volume. */
  FixState after(@Nullable FixState earlier) {
    long newEpoch = earlier == null ? epoch() : Math.max(epoch(), earlier.epoch());
    return with(schedule, new Grant(newEpoch, worker()), attempts);
  }

  /**
   * Whether the fix waits for {@link #retryAt}, until when a removal can be undone without loss.
   */
  public boolean retained() {
    return failures() == 0 && retryAt() != null;
  }

  /** Ends the retention. A request to free the volume's space is a request for this clean. */
  FixState ofTombstone(boolean asked) {
    boolean nowWanted = wanted() || (asked && !parked());
    return with(schedule.wanted(nowWanted, retained() ? null : retryAt()), grant, attempts);
  }

  FixState stopped(String error) {
    return with(schedule.wanted(false, null), grant.ended(), attempts.stopped(error));
  }

  FixState failed(String error, Instant now) {
    Attempts after = attempts.failed(error);
    Schedule next =
        after.parked()
            ? schedule.wanted(false, null)
            : schedule.wanted(wanted(), now.plus(RETRY_PAUSE.multipliedBy(1L << failures())));
    return with(next, grant.ended(), after);
  }

  private FixState with(Schedule newSchedule, Grant newGrant, Attempts newAttempts) {
    return new FixState(id, subject, newSchedule, newGrant, newAttempts, since);
  }

  /** A tool's output can be too long to keep in every checkpoint. */
  static String cut(@Nullable String error) {
    String text = error == null ? "" : error;
    return text.length() <= ERROR_CHARS_MAX ? text : text.substring(0, ERROR_CHARS_MAX) + "…";
  }

  /** The fields in the log. */
  private record Fields(
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
      Instant since) {}

  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  private static FixState of(Fields fields) {
    return new FixState(
        fields.id,
        new Subject(fields.type, fields.imageId, fields.volumeId, fields.file, fields.heavy),
        new Schedule(fields.wanted, fields.pausedSince, fields.retryAt),
        new Grant(fields.epoch, fields.worker),
        new Attempts(fields.failures, fields.parked, fields.lastError),
        fields.since);
  }

  @JsonValue
  private Fields fields() {
    return new Fields(
        id,
        type(),
        imageId(),
        volumeId(),
        file(),
        heavy(),
        wanted(),
        epoch(),
        worker(),
        failures(),
        parked(),
        pausedSince(),
        lastError(),
        retryAt(),
        since);
  }
}
