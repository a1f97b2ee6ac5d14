package io.quarry.agent.repository;

import io.quarry.coordinator.cluster.HostRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether this host is drained. A drained host takes no fixes, and leads no repository that another
 * host can lead. A file in the agent's state directory keeps the drain over restarts: during
 * maintenance a host starts several times before it is ready.
 */
public final class Drain {
  private static final Logger LOG = LoggerFactory.getLogger(Drain.class);

  private final StateFile file;
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private volatile @Nullable Instant since;

  /**
   * @param file exists while the host is drained, and says since when
   */
  public Drain(Path file) throws IOException {
    this.file = new StateFile(file);
    this.since = Files.exists(file) ? read(file) : null;
  }

  private static Instant read(Path file) throws IOException {
    try {
      return Instant.parse(Files.readString(file).strip());
    } catch (DateTimeParseException e) {
      LOG.warn("{} does not say since when this host is drained", file);
      return Files.getLastModifiedTime(file).toInstant();
    }
  }

  public boolean drained() {
    return since != null;
  }

  /** Null when the host is not drained. */
  public @Nullable Instant since() {
    return since;
  }

  /** Returns when the drain is durable; all listeners have been called by then. */
  public synchronized void begin(Instant now) {
    if (since == null) {
      file.writeText(now + "\n");
      since = now;
      LOG.info("This host is drained from now on");
      listeners.forEach(Runnable::run);
    }
  }

  /** Returns when the end of the drain is durable; all listeners have been called by then. */
  public synchronized void end() {
    if (since != null) {
      file.delete();
      since = null;
      LOG.info("This host is not drained any more");
      listeners.forEach(Runnable::run);
    }
  }

  /** The listener is called when a drain begins or ends. */
  public void onChange(Runnable listener) {
    listeners.add(listener);
  }

  /** Stops calling the listener. */
  void forget(Runnable listener) {
    listeners.remove(listener);
  }

  /** Whether a live host other than this one is ready to lead the repository. */
  static boolean anotherIsReady(List<HostRecord> live, String ownIncarnation, String key) {
    return live.stream()
        .anyMatch(host ->
            !host.incarnation().equals(ownIncarnation)
                && !host.drained()
                && FixRequirements.reaches(host, key));
  }
}
