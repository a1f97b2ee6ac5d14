package io.quarry.coordinator.cluster;

import io.quarry.coordinator.cluster.ClusterConnection.Attachment;
import io.quarry.coordinator.thread.Deadline;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.AsyncCallback.MultiCallback;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes of znodes, blocking and bounded by a deadline.
 *
 * <p>Uses the asynchronous calls of Curator's ZooKeeper client, not Curator's own. Curator's own
 * calls wait out the whole retry policy, or two thirds of a session timeout on a silent connection.
 * Such calls may also still execute after the caller has left.
 */
final class ZnodeStore {
  private static final long RETRY_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final ClusterConnection connection;

  ZnodeStore(ClusterConnection connection) {
    this.connection = connection;
  }

  /** A call that may be repeated: it finds out by itself whether it already happened. */
  interface Attempt<T, X extends Exception> {
    T run(Deadline deadline) throws ClusterUnavailableException, X;
  }

  /** Repeats the call through short outages until the call's deadline. */
  <T, X extends Exception> T retrying(Attempt<T, X> attempt) throws ClusterUnavailableException, X {
    Deadline deadline = Deadline.after(ClusterConnection.CALL_DEADLINE);
    while (true) {
      try {
        return attempt.run(deadline);
      } catch (ClusterUnavailableException unavailable) {
        if (deadline.remainingNanos() <= RETRY_PAUSE_NANOS
            || connection.closed()
            || Thread.currentThread().isInterrupted()) {
          throw unavailable;
        }
        pause();
      }
    }
  }

  Optional<Znode> read(Deadline deadline, String path) throws ClusterUnavailableException {
    return await(
        deadline,
        (handle, answer) ->
            handle.getData(
                path,
                false,
                (rc, at, context, content, stat) -> completeRead(answer, rc, content, stat),
                null));
  }

  /** Reads several children in one round; missing children are missing from the answer. */
  Map<String, Znode> readAll(Deadline deadline, String directory, Collection<String> names)
      throws ClusterUnavailableException {
    ZooKeeper handle = connectedHandle(deadline);
    Map<String, CompletableFuture<Optional<Znode>>> answers = new LinkedHashMap<>();
    for (String name : names) {
      CompletableFuture<Optional<Znode>> answer = new CompletableFuture<>();
      answers.put(name, answer);
      handle.getData(
          Znodes.join(directory, name),
          false,
          (rc, at, context, content, stat) -> completeRead(answer, rc, content, stat),
          null);
    }
    Map<String, Znode> found = new LinkedHashMap<>();
    for (var entry : answers.entrySet()) {
      await(deadline, entry.getValue()).ifPresent(znode -> found.put(entry.getKey(), znode));
    }
    return found;
  }

  /** Empty if the directory does not exist. */
  Optional<Birth> birth(Deadline deadline, String directory) throws ClusterUnavailableException {
    return await(
        deadline,
        (handle, answer) ->
            handle.exists(
                directory,
                false,
                (rc, at, context, stat) -> {
                  switch (Code.get(rc)) {
                    case OK -> answer.complete(Optional.of(Birth.of(stat)));
                    case NONODE -> answer.complete(Optional.empty());
                    default -> answer.completeExceptionally(failure(rc));
                  }
                },
                null));
  }

  /** Empty if the directory does not exist. */
  Optional<Children> children(Deadline deadline, String directory)
      throws ClusterUnavailableException {
    return await(
        deadline,
        (handle, answer) ->
            handle.getChildren(
                directory,
                false,
                (rc, at, context, names, stat) -> {
                  switch (Code.get(rc)) {
                    case OK -> answer.complete(Optional.of(Children.of(names, stat)));
                    case NONODE -> answer.complete(Optional.empty());
                    default -> answer.completeExceptionally(failure(rc));
                  }
                },
                null));
  }

  /** Writes all or nothing. Besides {@link #ensure}, the only way to write in this package. */
  Outcome commit(Deadline deadline, Write... writes) throws ClusterUnavailableException {
    return commit(deadline, List.of(writes));
  }

  Outcome commit(Deadline deadline, List<Write> writes) throws ClusterUnavailableException {
    List<Op> operations = writes.stream().map(Write::operation).toList();
    return await(
        deadline,
        (handle, answer) -> {
          MultiCallback done = (rc, at, context, results) -> completeCommit(answer, rc, results);
          handle.multi(operations, done, null);
        });
  }

  /** Makes sure that the directory and its parents exist. */
  void ensure(Deadline deadline, String directory) throws ClusterUnavailableException {
    for (String path : withParents(directory)) {
      CompletableFuture<Boolean> answer = new CompletableFuture<>();
      connectedHandle(deadline)
          .create(
              path,
              new byte[0],
              Ids.OPEN_ACL_UNSAFE,
              CreateMode.PERSISTENT,
              (rc, at, context, name) -> {
                switch (Code.get(rc)) {
                  case OK -> answer.complete(true);
                  case NODEEXISTS -> answer.complete(false);
                  default -> answer.completeExceptionally(failure(rc));
                }
              },
              null);
      await(deadline, answer);
    }
  }

  /** The path and its parents, topmost first. */
  static List<String> withParents(String path) {
    List<String> paths = new ArrayList<>();
    for (String at = path; !at.isEmpty(); at = Znodes.parent(at)) {
      paths.addFirst(at);
    }
    return paths;
  }

  /** Watches a directory and everything in it for as long as the handle lives. */
  void watch(Deadline deadline, Attachment attachment, String directory, Watcher watcher)
      throws ClusterUnavailableException {
    CompletableFuture<Boolean> answer = new CompletableFuture<>();
    attachment
        .handle()
        .addWatch(
            directory,
            watcher,
            AddWatchMode.PERSISTENT_RECURSIVE,
            (rc, at, context) -> {
              if (rc == Code.OK.intValue()) {
                answer.complete(true);
              } else {
                answer.completeExceptionally(failure(rc));
              }
            },
            null);
    await(deadline, answer);
  }

  /** Does not wait: a watcher that stays has no effect once its owner is closed. */
  void unwatch(Attachment attachment, String directory, Watcher watcher) {
    attachment
        .handle()
        .removeWatches(
            directory, watcher, Watcher.WatcherType.Any, true, (rc, at, context) -> {}, null);
  }

  private <T> T await(Deadline deadline, BiConsumer<ZooKeeper, CompletableFuture<T>> call)
      throws ClusterUnavailableException {
    CompletableFuture<T> answer = new CompletableFuture<>();
    call.accept(connectedHandle(deadline), answer);
    return await(deadline, answer);
  }

  private static <T> T await(Deadline deadline, CompletableFuture<T> answer)
      throws ClusterUnavailableException {
    try {
      return answer.get(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException failure) {
      throw new ClusterUnavailableException(
          "ZooKeeper did not do it: " + failure.getCause(), failure.getCause());
    } catch (TimeoutException late) {
      throw new ClusterUnavailableException("ZooKeeper did not answer in time", late);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new ClusterUnavailableException("interrupted", interrupted);
    }
  }

  private ZooKeeper connectedHandle(Deadline deadline) throws ClusterUnavailableException {
    try {
      if (!connection.awaitConnected(deadline.remaining())) {
        throw new ClusterUnavailableException(
            "no connection to ZooKeeper at " + connection.servers());
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new ClusterUnavailableException("interrupted", interrupted);
    }
    return connection.handle();
  }

  private static void pause() throws ClusterUnavailableException {
    try {
      TimeUnit.NANOSECONDS.sleep(RETRY_PAUSE_NANOS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new ClusterUnavailableException("interrupted", interrupted);
    }
  }

  private static void completeRead(
      CompletableFuture<Optional<Znode>> answer, int rc, byte @Nullable [] content, Stat stat) {
    switch (Code.get(rc)) {
      case OK ->
          answer.complete(Optional.of(Znode.of(content == null ? new byte[0] : content, stat)));
      case NONODE -> answer.complete(Optional.empty());
      default -> answer.completeExceptionally(failure(rc));
    }
  }

  private static void completeCommit(
      CompletableFuture<Outcome> answer, int rc, @Nullable List<OpResult> results) {
    Code code = Code.get(rc);
    switch (code) {
      case OK -> answer.complete(Outcome.DONE);
      case NONODE, NODEEXISTS, BADVERSION, NOTEMPTY ->
          answer.complete(new Outcome(code, failedIndex(results)));
      default -> answer.completeExceptionally(failure(rc));
    }
  }

  private static int failedIndex(@Nullable List<OpResult> results) {
    if (results != null) {
      for (int i = 0; i < results.size(); i++) {
        if (results.get(i) instanceof OpResult.ErrorResult error
            && error.getErr() != Code.OK.intValue()) {
          return i;
        }
      }
    }
    return 0;
  }

  private static KeeperException failure(int rc) {
    return KeeperException.create(Code.get(rc));
  }

  /** The result of a commit, and the operation that failed. */
  record Outcome(Code code, int failed) {
    static final Outcome DONE = new Outcome(Code.OK, -1);

    boolean done() {
      return code == Code.OK;
    }

    boolean is(Code expected, int operation) {
      return code == expected && failed == operation;
    }
  }

  /**
   * @param version of the directory's own content
   * @param birth tells a directory from a new one after the ensemble lost its data
   */
  record Children(List<String> names, int version, Birth birth) {
    static Children of(List<String> names, Stat stat) {
      return new Children(List.copyOf(names), stat.getVersion(), Birth.of(stat));
    }
  }

  record Birth(long transaction, long millis) {
    static Birth of(Stat stat) {
      return new Birth(stat.getCzxid(), stat.getCtime());
    }
  }
}
