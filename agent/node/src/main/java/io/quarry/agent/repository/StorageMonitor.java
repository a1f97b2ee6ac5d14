package io.quarry.agent.repository;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.thread.Loop;
import io.quarry.coordinator.thread.Supervisor;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether a storage answers at all. A thread of its own asks the storage for next to nothing, again
 * and again. While the answer is overdue, calls are refused at once and waiting calls are told, so
 * that no further thread gets stuck. The first answer ends that. An error is an answer, and counts
 * as the storage's fault until the next answer.
 */
public final class StorageMonitor implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StorageMonitor.class);

  /** The answer needs no forced write, so a storage that is only busy answers faster. */
  static final Duration PATIENCE = Duration.ofSeconds(3);

  /** After this time other hosts take over the work. */
  static final Duration GIVE_UP = Duration.ofSeconds(8);

  private static final Duration PAUSE = Duration.ofMillis(500);

  /** What the storage is asked. */
  @FunctionalInterface
  interface Question {
    void ask() throws IOException;
  }

  private final String name;
  private final Question question;
  private final Duration patience;
  private final Loop loop;
  private volatile @Nullable IOException fault;
  private boolean asking;
  private long askedNanos;

  /** Done while the answer is overdue. */
  private CompletableFuture<Void> hang = new CompletableFuture<>();

  /**
   * @param name of the repository, for its thread and messages
   */
  StorageMonitor(String name, Question question) {
    this(name, question, PATIENCE);
  }

  StorageMonitor(String name, Question question, Duration patience) {
    this.name = name;
    this.question = question;
    this.patience = patience;
    this.loop = new Loop("pulse-" + name, PAUSE, this::round);
  }

  void start(Supervisor supervisor) {
    loop.start(supervisor);
  }

  private void round() {
    begin();
    try {
      question.ask();
      note(null);
    } catch (IOException e) {
      // A full storage does its work: images are removed from it.
      note(FileFailure.kindOf(e) == FileFailure.Kind.NO_SPACE ? null : e);
    } catch (RuntimeException e) {
      LOG.debug("The storage of {} cannot be asked", name, e);
    } finally {
      answered();
    }
  }

  private void note(@Nullable IOException now) {
    if ((now == null) != (fault == null)) {
      LOG.warn("The storage of {} {}", name, now == null ? "works again" : "fails: " + now);
    }
    fault = now;
  }

  /** The storage's last answer, if that was an error; null while the storage works. */
  public @Nullable IOException fault() {
    return fault;
  }

  /** The refusal for callers while the storage fails; null while the storage works. */
  public @Nullable StorageException failing() {
    IOException now = fault;
    return now == null
        ? null
        : new StorageException(
            ErrorCode.SDM_UNAVAILABLE,
            "the storage of " + name + " fails on this host: " + now.getMessage(),
            name,
            FileFailure.remedyOf(now),
            now);
  }

  private synchronized void begin() {
    asking = true;
    askedNanos = System.nanoTime();
  }

  private synchronized void answered() {
    if (hang.isDone()) {
      LOG.info("The storage of {} answers again, after {} s", name, silence().toSeconds());
      hang = new CompletableFuture<>();
    }
    asking = false;
  }

  /**
   * Checks whether the answer is overdue. Another thread calls this, since the asking thread may
   * hang.
   */
  void look() {
    CompletableFuture<Void> overdue;
    synchronized (this) {
      if (hang.isDone() || silence().compareTo(patience) <= 0) {
        return;
      }
      overdue = hang;
    }
    LOG.warn("The storage of {} does not answer", name);
    overdue.complete(null);
  }

  /** For how long an answer has been due; zero when none is. */
  synchronized Duration silence() {
    return asking ? Duration.ofNanos(System.nanoTime() - askedNanos) : Duration.ZERO;
  }

  /** Whether calls may use the storage. */
  synchronized boolean responsive() {
    return !hang.isDone();
  }

  /** Done as soon as the storage is found to hang; after an answer there is a new future. */
  public synchronized CompletableFuture<Void> hang() {
    return hang;
  }

  /** Refuses a call at once that would have to wait for a hanging storage. */
  public void requireResponsive() {
    if (!responsive()) {
      throw unresponsive();
    }
  }

  public StorageException unresponsive() {
    return new StorageException(
        ErrorCode.REPOSITORY_UNRESPONSIVE,
        "the storage of " + name + " does not answer on this host",
        name,
        "ask another agent, or repeat the call when the storage is back");
  }

  @Override
  public void close() {
    loop.close();
  }
}
