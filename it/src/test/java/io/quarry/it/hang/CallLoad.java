package io.quarry.it.hang;

import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Calls of all kinds at one host, each again after a pause, and commits in a healthy repository.
 * Each kind has a thread of its own, so that a waiting call does not hide the others.
 */
final class CallLoad {
  private static final long MIB = 1L << 20;

  /** By then an agent knows that a storage hangs. */
  private static final Duration NOTICED_MAX = Duration.ofSeconds(5);

  private final EveryCall calls;
  private final List<EveryCall.Kind> kinds;
  private final StorageClient client;
  private final Duration pause;
  private final CountDownLatch over = new CountDownLatch(1);
  private final List<Thread> threads = new ArrayList<>();
  private final Found found = new Found();
  private final long startedNanos = System.nanoTime();

  /** The observations; all methods may be called while calls are made. */
  static final class Found {
    private final List<Duration> answers = new ArrayList<>();
    private final List<Duration> late = new ArrayList<>();
    private final List<Duration> commits = new ArrayList<>();
    private final Map<String, Duration> slowest = new HashMap<>();
    private final Map<String, Integer> codes = new HashMap<>();
    private final List<String> wrong = new ArrayList<>();
    private final List<String> disks = new ArrayList<>();

    private synchronized void add(
        EveryCall.Kind kind, Duration begun, EveryCall.Answered answered) {
      answers.add(answered.took());
      if (begun.compareTo(NOTICED_MAX) > 0) {
        late.add(answered.took());
      }
      slowest.merge(kind.name(), answered.took(), (one, other) -> max(one, other));
      codes.merge(answered.status() + " " + answered.code(), 1, Integer::sum);
      if (!answered.stable()) {
        wrong.add(kind.name() + ": " + answered);
      }
    }

    private static Duration max(Duration one, Duration other) {
      return one.compareTo(other) > 0 ? one : other;
    }

    private synchronized void add(Duration commit, String disk) {
      commits.add(commit);
      disks.add(disk);
    }

    private synchronized void fail(String what, Exception why) {
      wrong.add(what + ": " + why);
    }

    synchronized List<Duration> answers() {
      return sorted(answers);
    }

    /** The durations of calls that began when the agent knew that the storage hangs. */
    synchronized List<Duration> lateAnswers() {
      return sorted(late);
    }

    /** The durations of commits in the healthy repository. */
    synchronized List<Duration> commits() {
      return sorted(commits);
    }

    synchronized List<String> disks() {
      return List.copyOf(disks);
    }

    /** The slowest call of each kind. */
    synchronized Map<String, Duration> slowest() {
      return Map.copyOf(slowest);
    }

    /** How often each status and code was answered. */
    synchronized Map<String, Integer> codes() {
      return Map.copyOf(codes);
    }

    /** Answers outside of the contract. */
    synchronized List<String> wrong() {
      return List.copyOf(wrong);
    }

    private static List<Duration> sorted(List<Duration> durations) {
      List<Duration> sorted = new ArrayList<>(durations);
      Collections.sort(sorted);
      return sorted;
    }
  }

  /**
   * @param client of the same host
   * @param pause of each kind, between two calls
   */
  CallLoad(EveryCall calls, List<EveryCall.Kind> kinds, StorageClient client, Duration pause) {
    this.calls = calls;
    this.kinds = kinds;
    this.client = client;
    this.pause = pause;
  }

  void start() {
    for (EveryCall.Kind kind : kinds) {
      threads.add(Thread.startVirtualThread(() -> again(kind.name(), () -> call(kind))));
    }
    threads.add(Thread.startVirtualThread(() -> again("commit elsewhere", this::commit)));
  }

  private interface Call {
    void make() throws Exception;
  }

  private void again(String what, Call call) {
    try {
      do {
        try {
          call.make();
        } catch (InterruptedException e) {
          throw e;
        } catch (Exception e) {
          found.fail(what, e);
        }
      } while (!over.await(pause.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void call(EveryCall.Kind kind) throws Exception {
    Duration begun = Duration.ofNanos(System.nanoTime() - startedNanos);
    found.add(kind, begun, calls.make(kind));
  }

  private void commit() {
    long began = System.nanoTime();
    String disk = Box.disk(client, HangScene.SOUND, MIB).imageId();
    found.add(Duration.ofNanos(System.nanoTime() - began), disk);
  }

  /** What has been seen so far. */
  Found found() {
    return found;
  }

  /** Waits for the last calls. */
  Found stop() throws InterruptedException {
    over.countDown();
    for (Thread thread : threads) {
      thread.join();
    }
    return found;
  }

  static Duration percentile(List<Duration> sorted, double quantile) {
    return sorted.get((int) Math.round(quantile * (sorted.size() - 1)));
  }
}
