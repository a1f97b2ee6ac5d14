package io.quarry.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.thread.Supervisor;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

final class ConfiguredRepositoriesTest {
  private static final Duration AT_ONCE = Duration.ofMillis(1);

  private final Logger logger = (Logger) LoggerFactory.getLogger(ConfiguredRepositories.class);
  private final ListAppender<ILoggingEvent> logged = new ListAppender<>();

  @BeforeEach
  void listen() {
    logged.start();
    logger.setLevel(Level.INFO);
    logger.addAppender(logged);
  }

  @AfterEach
  void stopListening() {
    logger.detachAppender(logged);
    logger.setLevel(null);
  }

  @Test
  void sameObstacleIsLoggedOnce() {
    Iterator<String> obstacles =
        List.of("no mount", "no mount", "empty", "empty", "empty").iterator();
    AtomicBoolean connected = new AtomicBoolean();
    try (var configured =
        new ConfiguredRepositories(
            List.of(named("vms")),
            repository -> {
              if (obstacles.hasNext()) {
                throw refusal(obstacles.next());
              }
              connected.set(true);
            },
            AT_ONCE)) {
      configured.start(new Supervisor());
      await().untilTrue(connected);
      await().until(() -> !messages(Level.INFO).isEmpty());
    }
    assertThat(messages(Level.ERROR))
        .containsExactly(
            "Repository vms is not connected: no mount (wait)",
            "Repository vms is not connected: empty (wait)");
    assertThat(messages(Level.INFO)).containsExactly("Repository vms is connected at last");
  }

  @Test
  void repositoryThatHangsDelaysNoOther() {
    CountDownLatch release = new CountDownLatch(1);
    AtomicBoolean first = new AtomicBoolean(true);
    AtomicBoolean hangs = new AtomicBoolean();
    AtomicBoolean connected = new AtomicBoolean();
    try (var configured =
        new ConfiguredRepositories(
            List.of(named("hangs"), named("late")),
            repository -> {
              if (repository.repoId().equals("late") && hangs.get()) {
                connected.set(true);
                return;
              }
              if (repository.repoId().equals("hangs") && !first.getAndSet(false)) {
                hangs.set(true);
                awaitRelease(release);
              }
              throw refusal("no mount");
            },
            AT_ONCE)) {
      configured.start(new Supervisor());
      await().untilTrue(connected);
      release.countDown();
    }
  }

  private static void awaitRelease(CountDownLatch release) {
    try {
      release.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private List<String> messages(Level level) {
    return logged.list.stream()
        .filter(event -> event.getLevel() == level)
        .map(ILoggingEvent::getFormattedMessage)
        .toList();
  }

  private static ConnectRequest named(String repoId) {
    return new ConnectRequest(repoId, "localfs-1.0", Map.of("path", "/mnt/" + repoId));
  }

  private static StorageException refusal(String why) {
    return new StorageException(ErrorCode.REPOSITORY_UNUSABLE, why, "/mnt", "wait");
  }
}
