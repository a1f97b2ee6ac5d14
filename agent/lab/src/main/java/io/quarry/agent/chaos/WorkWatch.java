package io.quarry.agent.chaos;

import io.quarry.agent.chaos.Arena.Member;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.client.ClientSettings;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.FixType;
import io.quarry.common.model.Progress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Asks each host's agent again and again for its tasks. So the watch sees which host took over from
 * which, and how much work was done twice. Thread-safe.
 */
final class WorkWatch implements AutoCloseable {
  private static final Duration EVERY = Duration.ofMillis(50);
  private static final Duration SDM_EVERY = Duration.ofMillis(250);
  private static final Duration ANSWER_MAX = Duration.ofMillis(800);

  /**
   * The observations of one epoch.
   *
   * @param before how far earlier epochs had come
   * @param reached how far this epoch has come; −1 while unknown
   */
  private record Run(String hostId, long epoch, long before, long reached) {}

  /**
   * @param taken after a kill, from SIGKILL to the first sight of the next epoch
   * @param takeovers epochs that continued another host's work
   * @param redoneBytes work that successors did not find in a checkpoint
   * @param movedBytes by all epochs
   */
  record Work(List<Duration> taken, int takeovers, long movedBytes, long redoneBytes) {}

  private final List<StorageClient> clients = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private final Map<String, Run> runs = new HashMap<>();
  private final Map<String, List<TaskInfo>> now = new HashMap<>();
  private final Map<String, Long> killed = new HashMap<>();
  private final List<Duration> taken = new ArrayList<>();
  private int takeovers;
  private long moved;
  private long redone;
  private volatile String sdm = "";

  /** When the latest answered question to a host's agent was asked. */
  private final Map<String, Long> answered = new ConcurrentHashMap<>();

  WorkWatch(List<Member> members, String repoId) {
    for (Member member : members) {
      StorageClient client =
          new StorageClient(List.of(member.agent()), ClientSettings.within(ANSWER_MAX));
      clients.add(client);
      threads.add(
          Thread.ofVirtual()
              .name("work-of-" + member.hostId())
              .start(() -> repeat(EVERY, () -> look(client, member.hostId()))));
    }
    StorageClient any =
        new StorageClient(
            members.stream().map(Member::agent).toList(), ClientSettings.within(ANSWER_MAX));
    clients.add(any);
    threads.add(
        Thread.ofVirtual().name("sdm").start(() -> repeat(SDM_EVERY, () -> ask(any, repoId))));
  }

  private static void repeat(Duration every, Runnable look) {
    try {
      while (true) {
        try {
          look.run();
        } catch (StorageException e) {
          // The agent does not answer; the loop asks again.
        }
        Thread.sleep(every);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void ask(StorageClient any, String repoId) {
    String leads = any.getStorageRepository(repoId).sdmHostId();
    sdm = leads == null ? "" : leads;
  }

  private void look(StorageClient client, String hostId) {
    long asked = System.nanoTime();
    List<TaskInfo> tasks;
    try {
      tasks =
          client.listTasks(hostId).stream().filter(task -> task.type() != FixType.CLEAN).toList();
    } catch (StorageException e) {
      take(hostId, List.of());
      throw e;
    }
    answered.put(hostId, asked);
    take(hostId, tasks);
  }

  private synchronized void take(String hostId, List<TaskInfo> tasks) {
    now.put(hostId, tasks);
    tasks.forEach(this::take);
  }

  private void take(TaskInfo task) {
    Progress progress = task.progress();
    long total = progress == null ? 0 : progress.bytesTotal();
    long done = progress == null || total <= 0 ? -1 : Math.max(0, progress.bytesDone());
    Run last = runs.get(task.fixId());
    if (last == null || task.epoch() > last.epoch()) {
      if (last != null) {
        claimedAgain(task, last);
      }
      began(task, last, done);
    } else if (task.epoch() == last.epoch() && done >= 0) {
      if (last.reached() < 0) {
        redone += Math.max(0, last.before() - done);
      } else {
        moved += Math.max(0, done - last.reached());
      }
      runs.put(task.fixId(), new Run(last.hostId(), last.epoch(), last.before(), done));
    }
  }

  /** The task was claimed by another host, or by the same host in its next life. */
  private void claimedAgain(TaskInfo task, Run last) {
    if (!last.hostId().equals(task.hostId())) {
      takeovers++;
    }
    Long at = killed.remove(task.fixId());
    if (at != null) {
      taken.add(Duration.ofNanos(System.nanoTime() - at));
    }
  }

  /** The starting point of the epoch may be seen only at the next look. */
  private void began(TaskInfo task, @Nullable Run last, long from) {
    long before = last == null ? 0 : Math.max(last.before(), last.reached());
    if (from >= 0) {
      redone += Math.max(0, before - from);
    }
    runs.put(task.fixId(), new Run(task.hostId(), task.epoch(), before, from));
  }

  /** Other hosts must take over the tasks that run on that host now. */
  synchronized void killed(String hostId) {
    long at = System.nanoTime();
    now.getOrDefault(hostId, List.of()).forEach(task -> killed.put(task.fixId(), at));
    now.put(hostId, List.of());
  }

  synchronized List<TaskInfo> tasks() {
    return now.values().stream().flatMap(List::stream).toList();
  }

  /** Whether the host's agent has answered a question that was asked after that moment. */
  boolean answered(String hostId, long since) {
    Long asked = answered.get(hostId);
    return asked != null && asked > since;
  }

  Optional<String> sdm() {
    return Optional.of(sdm).filter(each -> !each.isEmpty());
  }

  synchronized Work work() {
    return new Work(List.copyOf(taken), takeovers, moved, redone);
  }

  @Override
  public void close() {
    threads.forEach(Thread::interrupt);
    clients.forEach(StorageClient::close);
  }
}
