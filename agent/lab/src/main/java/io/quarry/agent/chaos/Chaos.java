package io.quarry.agent.chaos;

import io.quarry.agent.chaos.Arena.Member;
import io.quarry.agent.chaos.Arena.Sights;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.client.StorageClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One run: a cluster, customers, faults, the end of all faults, and the judgement. */
public final class Chaos {
  private static final Duration PATIENT = Duration.ofSeconds(60);
  private static final Duration TOLD_MAX = Duration.ofSeconds(30);

  private final ChaosOptions options;
  private final History history;

  public Chaos(ChaosOptions options, Consumer<ChaosReport.Moment> audience) {
    this.options = options;
    this.history = new History(audience);
  }

  /**
   * Strikes the arena's cluster. All of its agents must answer and have the repositories connected.
   *
   * @param scratch for data that is read to be compared
   */
  public ChaosReport run(Arena arena, List<String> repositories, Path scratch)
      throws IOException, InterruptedException {
    Files.createDirectories(scratch);
    List<Member> members = arena.members();
    StorageClient patient =
        SharedWorkload.client(members.stream().map(Member::agent).toList(), PATIENT);
    AtomicReference<@Nullable FaultLane> lane = new AtomicReference<>();
    try (Guest guest = new Guest(scratch);
        WorkWatch work = new WorkWatch(members, repositories.getFirst());
        LogWatch log =
            new LogWatch(
                SharedWorkload.client(members.stream().map(Member::agent).toList(), PATIENT),
                history)) {
      SharedWorkload market =
          SharedWorkload.of(repositories, members, history, guest, () -> suffer(lane.get()));
      Set<Fault.Kind> chosen = chosen(arena);
      Nemesis plan = new Nemesis(options.seed(), options.pace(), chosen);
      FaultLane faults =
          new FaultLane(arena, plan, sights(work, log, market.bait()), work, history);
      lane.set(faults);
      Crowd crowd = new Crowd(market, options.clients(), options.seed());
      crowd.during(() -> faults.run(options.duration()));
      history.moment("the faults are over");
      long over = System.nanoTime();
      arena.heal();
      history.moment("all agents answer");
      Quiescence settling = new Quiescence(patient, market);
      settling.run(crowd.customers(), crowd.meddler());
      Duration settled = Duration.ofNanos(System.nanoTime() - over);
      history.moment("nothing is left to do");
      HostsChecker hosts = new HostsChecker(patient, history, members, repositories);
      hosts.judge();
      if (chosen.containsAll(Set.of(Fault.Kind.KILL_GUARDIAN, Fault.Kind.KILL_ZOOKEEPER))) {
        hosts.judgeReturn(faults::strikeWhileZooKeeperIsDown);
      }
      int compared = new ImagesChecker(market, patient, settling, arena).judge(crowd.images());
      awaitTold(log, patient, repositories);
      new CallsChecker(history, log, chosen.contains(Fault.Kind.FOREIGN_WRITER))
          .judge(repositories);
      if (chosen.contains(Fault.Kind.KILL_HOST)) {
        hosts.judgeReboot(arena);
      }
      new LeftoversChecker(patient, history, settling, arena).judge(repositories);
      crowd.close();
      return new Summary(options, history, faults, log, work.work())
          .report(arena.missing(), compared, settled);
    } finally {
      patient.close();
    }
  }

  /** The faults that are both chosen and possible here. */
  private Set<Fault.Kind> chosen(Arena arena) {
    Set<Fault.Kind> chosen = EnumSet.copyOf(options.faults());
    chosen.retainAll(arena.possible());
    if (chosen.isEmpty()) {
      throw new IllegalArgumentException(
          "none of the faults that --faults names can strike here: " + arena.missing());
    }
    return chosen;
  }

  private static boolean suffer(@Nullable FaultLane lane) {
    return lane != null && lane.guestsSuffer();
  }

  private Sights sights(WorkWatch work, LogWatch log, Bait bait) {
    return new Sights() {
      @Override
      public Optional<String> sdm() {
        return work.sdm();
      }

      @Override
      public List<TaskInfo> tasks() {
        return work.tasks();
      }

      @Override
      public boolean answered(String hostId, long sinceNanos) {
        return work.answered(hostId, sinceNanos);
      }

      @Override
      public boolean published(TaskInfo task, long sinceNanos) {
        return log.published(task.repoId(), task.imageId(), sinceNanos);
      }

      @Override
      public boolean writable(TaskInfo task) {
        return bait.writable(task);
      }

      @Override
      public boolean written(TaskInfo task) {
        return bait.written(task);
      }

      @Override
      public void violation(String what) {
        history.violation(what);
      }

      @Override
      public void awake(TaskInfo task) {
        bait.awake(task);
      }
    };
  }

  private void awaitTold(LogWatch log, StorageClient client, List<String> repositories)
      throws InterruptedException {
    long deadline = System.nanoTime() + TOLD_MAX.toNanos();
    for (String repoId : repositories) {
      long newest = client.getStorageRepository(repoId).commit();
      while (log.commit(repoId) < newest) {
        if (System.nanoTime() > deadline) {
          history.violation(
              "the events of %s end at commit %d of %d"
                  .formatted(repoId, log.commit(repoId), newest));
          return;
        }
        Thread.sleep(20);
      }
    }
  }

  /** A cluster on this machine, over directories. */
  public static final class Local implements AutoCloseable {
    private final AtomicReference<@Nullable Arena> arena = new AtomicReference<>();
    private final AtomicBoolean closed = new AtomicBoolean();

    public ChaosReport run(
        ChaosOptions options, Path directory, Consumer<ChaosReport.Moment> audience)
        throws IOException, InterruptedException {
      try (Arena started =
          LocalArena.start(
              directory,
              options.hosts(),
              List.of("networks and storages that fail: ./verify chaos tries them, as root"))) {
        arena.set(started);
        return new Chaos(options, audience)
            .run(started, LocalArena.REPOSITORIES, directory.resolve("scratch"));
      }
    }

    @Override
    public void close() {
      Arena started = arena.get();
      if (started != null && closed.compareAndSet(false, true)) {
        started.close();
      }
    }
  }

  /** All customers, each on a thread of its own. */
  private static final class Crowd {
    private final List<Workload> customers = new ArrayList<>();
    private final AdminWorkload meddler;
    private final History history;

    Crowd(SharedWorkload market, int clients, long seed) {
      this.history = market.history();
      Random seeds = new Random(seed);
      for (int number = 1; number <= clients; number++) {
        customers.add(new Workload(market, number, seeds.nextLong()));
      }
      this.meddler = new AdminWorkload(market, seeds.nextLong());
    }

    /** Runs while the crowd lives. */
    interface Meanwhile {
      void run() throws IOException, InterruptedException;
    }

    void during(Meanwhile meanwhile) throws IOException, InterruptedException {
      AtomicBoolean over = new AtomicBoolean();
      List<Thread> threads = new ArrayList<>();
      for (Workload customer : customers) {
        threads.add(start(() -> customer.live(over::get)));
      }
      threads.add(start(() -> meddler.live(over::get)));
      try {
        meanwhile.run();
      } catch (InterruptedException e) {
        threads.forEach(Thread::interrupt);
        throw e;
      } finally {
        over.set(true);
        for (Thread thread : threads) {
          thread.join();
        }
      }
    }

    private interface Life {
      void live() throws InterruptedException;
    }

    private Thread start(Life life) {
      return Thread.ofPlatform()
          .name("customer")
          .start(() -> {
            try {
              life.live();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            } catch (RuntimeException e) {
              history.violation("a customer failed: " + e);
            }
          });
    }

    List<Workload> customers() {
      return customers;
    }

    AdminWorkload meddler() {
      return meddler;
    }

    List<Owned> images() {
      return customers.stream().flatMap(customer -> customer.images().stream()).toList();
    }

    void close() {
      customers.forEach(Workload::close);
      meddler.close();
    }
  }
}
