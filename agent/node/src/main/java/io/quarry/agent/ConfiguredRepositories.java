package io.quarry.agent;

import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.thread.Supervisor;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Connects what the agent's configuration names: a mount may come later than the agent. What cannot
 * be connected at first is tried again on a thread of its own, since a storage that hangs must not
 * keep the others waiting.
 */
final class ConfiguredRepositories implements AutoCloseable {
  static final Duration AGAIN = Duration.ofSeconds(5);

  private static final Logger LOG = LoggerFactory.getLogger(ConfiguredRepositories.class);

  private final List<ConnectRequest> repositories;
  private final Consumer<ConnectRequest> connect;
  private final Duration pause;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Map<String, String> waiting = new ConcurrentHashMap<>();

  /**
   * @param connect throws when it cannot be done now
   * @param pause between two tries
   */
  ConfiguredRepositories(
      List<ConnectRequest> repositories, Consumer<ConnectRequest> connect, Duration pause) {
    this.repositories = repositories;
    this.connect = connect;
    this.pause = pause;
    repositories.forEach(each -> waiting.put(each.repoId(), "it is being connected"));
  }

  /** Those that are not connected yet, and why. */
  Map<String, String> waiting() {
    return new TreeMap<>(waiting);
  }

  /** Returns when each has been tried once. */
  void start(Supervisor supervisor) {
    for (ConnectRequest repository : repositories) {
      Tries tries = new Tries(repository);
      if (!tries.connected()) {
        var _ = supervisor.start("connect-" + repository.repoId(), tries::goOn);
      }
    }
  }

  /** The tries to connect one repository. One thread at a time. */
  private final class Tries {
    private final ConnectRequest repository;
    private String told = "";

    Tries(ConnectRequest repository) {
      this.repository = repository;
    }

    void goOn() {
      try {
        boolean connected = false;
        while (!connected && !closed.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
          connected = connected();
        }
        if (connected) {
          LOG.info("Repository {} is connected at last", repository.repoId());
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    boolean connected() {
      try {
        connect.accept(repository);
        waiting.remove(repository.repoId());
        return true;
      } catch (StorageException e) {
        tell(e.getMessage() + " (" + e.remedy() + ")");
      } catch (RuntimeException e) {
        tell(e.toString());
      }
      return false;
    }

    /** Once, not at each try: whoever reads the log wants to see what changes. */
    private void tell(String why) {
      waiting.put(repository.repoId(), why);
      if (!why.equals(told)) {
        told = why;
        LOG.error("Repository {} is not connected: {}", repository.repoId(), why);
      }
    }
  }

  @Override
  public void close() {
    closed.countDown();
  }
}
