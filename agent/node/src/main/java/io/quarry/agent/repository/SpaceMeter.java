package io.quarry.agent.repository;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.storage.VolumeStore;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.VolumeName;
import io.quarry.coordinator.thread.Deadline;
import io.quarry.coordinator.thread.Loop;
import io.quarry.coordinator.thread.Supervisor;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Measures how much of the storage a repository's volumes take. A thread of its own measures after
 * commits and during writes, but rests most of the time. Requests take the latest result and never
 * wait for a look at every file.
 */
public final class SpaceMeter implements AutoCloseable {
  public static final long UNKNOWN = -1;

  private static final Logger LOG = LoggerFactory.getLogger(SpaceMeter.class);

  private static final Duration REST_MIN = Duration.ofSeconds(2);

  /** Measuring takes no more than this part of the time, however many files there are. */
  private static final long REST_FACTOR = 20;

  private final String name;
  private final VolumeStore volumes;
  private final Supplier<LogState> state;
  private final Loop loop;

  /** Only the loop's thread uses this field. */
  private Deadline rested = Deadline.after(Duration.ZERO);

  private volatile @Nullable Measured measured;

  /**
   * @param commit the newest commit when the measurement began
   * @param total of all files, also of foreign ones
   * @param byVolume of all epochs' files of a volume
   */
  private record Measured(long commit, long total, Map<String, Long> byVolume) {}

  /**
   * @param name of the repository, for its thread and messages
   * @param volumes the directory of volume files
   */
  SpaceMeter(String name, VolumeStore volumes, Supplier<LogState> state) {
    this.name = name;
    this.volumes = volumes;
    this.state = state;
    this.loop = new Loop("space-" + name, REST_MIN, this::round);
  }

  void start(Supervisor supervisor) {
    loop.start(supervisor);
  }

  /** Bytes that all files of volumes take; {@link #UNKNOWN} before the first look. */
  public long total() {
    Measured known = measured;
    return known == null ? UNKNOWN : known.total();
  }

  /** Bytes that the files of a volume take; {@link #UNKNOWN} before the first look at them. */
  public long ofVolume(String volumeId) {
    Measured known = measured;
    return known == null ? UNKNOWN : known.byVolume().getOrDefault(volumeId, UNKNOWN);
  }

  private void round() {
    if (!rested.passed()) {
      return;
    }
    long began = System.nanoTime();
    measureIfNecessary();
    rested = Deadline.after(Duration.ofNanos(REST_FACTOR * (System.nanoTime() - began)));
  }

  private void measureIfNecessary() {
    LogState now = state.get();
    Measured known = measured;
    if (known != null && known.commit() == now.sequence() && !writing(now.repository())) {
      return;
    }
    try {
      measured = measure(now.sequence());
    } catch (IOException e) {
      LOG.debug("Measuring {} has to wait: {}", name, e.toString());
    }
  }

  /** Whether files may grow without a commit: under guests, and under fixes that move data. */
  private static boolean writing(RepositoryState state) {
    return !state.work().toQueue().isEmpty()
        || state.opens().values().stream().anyMatch(open -> !open.readOnly());
  }

  private Measured measure(long commit) throws IOException {
    Map<String, Long> byVolume = new HashMap<>();
    long total = 0;
    for (String name : volumes.names()) {
      try {
        long bytes = volumes.status(name).allocatedBytes();
        total += bytes;
        VolumeName volume = VolumeName.parse(name);
        byVolume.merge(volume == null ? name : volume.volumeId(), bytes, Long::sum);
      } catch (FileFailure.NotFound e) {
        LOG.debug("{} is gone already", volumes.path(name));
      }
    }
    return new Measured(commit, total, byVolume);
  }

  @Override
  public void close() {
    loop.close();
  }
}
