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
 * Connects the repositories of the agent's configuration. A mount may come later than the agent. So
 * each repository that cannot be connected is tried again on a thread of its own, and a hanging
 * storage delays no other repository.
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
   * @param connect throws when the repository cannot be connected now
   * @param pause between two tries
   */
  ConfiguredRepositories(
      List<ConnectRequest> repositories, Consumer<ConnectRequest> connect, Duration pause) {
    this.repositories = repositories;
    this.connect = connect;
    this.pause = pause;
    repositories.forEach(each -> waiting.put(each.repoId(), "it is being connected"));
  }

  /** The repositories that are not connected yet, and the reasons. */
  Map<String, String> waiting() {
    return new TreeMap<>(waiting);
  }

  /** Returns when each repository has been tried once. */
  void start(Supervisor supervisor) {
    for (ConnectRequest repository : repositories) {
      Tries tries = new Tries(repository);
      if (!tries.connected()) {
        var _ = supervisor.start("connect-" + repository.repoId(), tries::goOn);
      }
    }
  }

  /** The tries to connect one repository. Only one thread at a time makes a try. */
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

    /** Logs each reason once and not at each try, so that the log shows changes. */
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
