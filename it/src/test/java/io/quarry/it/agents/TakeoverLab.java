package io.quarry.it.agents;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.model.FixType;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.FixQueries;
import io.quarry.it.vm.Lab;
import io.quarry.it.vm.LabAgent;
import io.quarry.it.vm.LabAgents;
import io.quarry.it.vm.LabExtension;
import java.io.IOException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A host fails while it copies from one repository on NFS to another. The other host finishes the
 * copy, and the first host changes nothing when it is back.
 */
@ExtendWith(LabExtension.class)
@Timeout(900)
@SuppressWarnings("SystemOut")
final class TakeoverLab {
  private static final String SOURCE = "from";
  private static final String TARGET = "to";
  private static final long MIB = 1L << 20;
  private static final int WINDOWS = 3;
  private static final long DATA_BYTES = 12 * MIB;
  private static final long SLOW = MIB;
  private static final long FAST = 8 * MIB;
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final Duration POLL = Duration.ofMillis(100);

  /** What happens to a host. */
  enum Failure {
    AGENT_KILLED {
      @Override
      void begin(LabAgent host) throws IOException, InterruptedException {
        host.kill();
      }

      @Override
      void end(LabAgent host) {
        // The guardian has started the next agent.
      }
    },
    POWER_CUT {
      @Override
      void begin(LabAgent host) throws IOException {
        host.vm().cutPower();
      }

      @Override
      void end(LabAgent host) throws IOException, InterruptedException {
        host.reboot();
      }
    },
    PAUSED {
      @Override
      void begin(LabAgent host) throws IOException {
        host.vm().pause();
      }

      @Override
      void end(LabAgent host) throws IOException {
        host.vm().resume();
      }
    },
    STORAGE_CUT_OFF {
      @Override
      void begin(LabAgent host) throws IOException {
        host.vm().cutNetwork();
      }

      @Override
      void end(LabAgent host) throws IOException {
        host.vm().restoreNetwork();
      }
    },
    CLUSTER_CUT_OFF {
      @Override
      void begin(LabAgent host) throws IOException {
        host.vm().cutHostCable();
      }

      @Override
      void end(LabAgent host) throws IOException {
        host.vm().restoreHostCable();
      }
    };

    abstract void begin(LabAgent host) throws IOException, InterruptedException;

    abstract void end(LabAgent host) throws IOException, InterruptedException;
  }

  @ParameterizedTest
  @EnumSource
  void otherHostFinishesTheCopy(Failure failure, Lab lab) throws Exception {
    LabAgents agents = lab.agents();
    agents.connect(SOURCE);
    agents.connect(TARGET);
    String source = source(agents);
    String expected = agents.all().getFirst().sha256(SOURCE, source);
    for (LabAgent agent : agents.all()) {
      agent.client().setThrottle(SLOW);
    }
    String copy =
        Copying.copy(agents.all().getFirst().client(), TARGET, source, ImageOptions.DEFAULT)
            .imageId();
    TaskInfo first = until(agents.all(), copy, any -> true);
    LabAgent victim = agents.on(first.hostId());
    LabAgent other = agents.otherThan(victim);
    // The first window is copied soon, the rest is not.
    victim.client().setThrottle(FAST);
    TaskInfo begun = until(List.of(victim), copy, task -> Copying.checkpoint(task) > 0);
    victim.client().setThrottle(SLOW);

    failure.begin(victim);
    long failed = System.nanoTime();
    TaskInfo next =
        until(
            List.of(other),
            copy,
            task -> task.epoch() > begun.epoch() && Copying.checkpoint(task) >= 0);
    System.out.printf(
        "%s: another host copies after %.1f s, from %d of %d bytes%n",
        failure,
        (System.nanoTime() - failed) / 1e9,
        Copying.checkpoint(next),
        WINDOWS * Copying.WINDOW_BYTES);
    assertThat(Copying.checkpoint(next)).isGreaterThanOrEqualTo(Copying.checkpoint(begun));
    other.client().setThrottle(0);
    Box.awaitOptimized(other.client(), TARGET, copy);
    assertThat(other.sha256(TARGET, copy)).isEqualTo(expected);

    failure.end(victim);
    victim.awaitReady(PATIENCE);
    victim.client().setThrottle(0);
    await().atMost(PATIENCE).until(() -> tasks(victim).isEmpty());
    assertThat(victim.sha256(TARGET, copy)).isEqualTo(expected);
    assertThat(other.sha256(TARGET, copy)).isEqualTo(expected);
    FixQueries.runAll(other.client(), TARGET);
    assertThat(other.client().checkStorageRepository(TARGET, CheckOptions.DEFAULT).problems())
        .isEmpty();
  }

  /** A disk with data in each window, so that a copy has several checkpoints. */
  private static String source(LabAgents agents) throws IOException, InterruptedException {
    LabAgent writer = agents.all().getFirst();
    String disk = Box.disk(writer.client(), SOURCE, WINDOWS * Copying.WINDOW_BYTES).imageId();
    Box.awaitOptimized(writer.client(), SOURCE, disk);
    String[] writes = new String[WINDOWS];
    for (int window = 0; window < WINDOWS; window++) {
      writes[window] =
          "write -P %d %d %d".formatted(window + 1, window * Copying.WINDOW_BYTES, DATA_BYTES);
    }
    writer.use(SOURCE, disk, writes);
    return disk;
  }

  /** Waits until one of these hosts shows a task of the copy that fits. */
  private static TaskInfo until(List<LabAgent> asked, String copy, Predicate<TaskInfo> wanted) {
    return await()
        .atMost(PATIENCE)
        .pollInterval(POLL)
        .ignoreExceptionsInstanceOf(StorageException.class)
        .until(
            () ->
                asked.stream()
                    .flatMap(agent -> tasks(agent).stream())
                    .filter(task -> copy.equals(task.imageId()) && task.type() != FixType.CLEAN)
                    .filter(wanted)
                    .max(Comparator.comparingLong(TaskInfo::epoch)),
            Optional::isPresent)
        .orElseThrow();
  }

  private static List<TaskInfo> tasks(LabAgent agent) {
    return agent.client().listTasks(agent.hostId());
  }
}
