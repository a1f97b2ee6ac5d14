package io.quarry.agent.repository;

import io.quarry.common.model.FixType;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Fixes;
import io.quarry.coordinator.plan.GrantFixes;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Request;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Grants light fixes to hosts, by commits in the log. Fixes are granted that no host holds, that a
 * dead host holds, and that a holder delays too long. Many fixes share a commit, so a dead host's
 * thousands cost next to nothing. Only the thread of {@link QueueKeeper} uses this class.
 */
final class Grants {
  private static final Logger LOG = LoggerFactory.getLogger(Grants.class);

  /** The number of fixes that the SDM gives one host at a time; callers' requests may add more. */
  private static final int HELD_MAX = 256;

  /**
   * How many looks in a row may find a host with a fix that takes milliseconds, before another host
   * gets the fix. Looks count and not seconds: while a shared storage hangs, no host can finish.
   */
  private static final int LOOKS_MAX = 6;

  /** The time between two looks at what hosts hold. */
  private static final Duration ROUND = Duration.ofSeconds(1);

  /**
   * The time between two looks at fixes that wait for a time of their own; there may be very many.
   */
  private static final Duration LATER_ROUND = Duration.ofMillis(500);

  private static final long COMMIT_SECONDS_MAX = 10;

  private final Supplier<Set<Worker>> hosts;
  private final BooleanSupplier storageAnswers;
  private final LongSupplier nanos;
  private final InstantSource clock;
  private final BooleanSupplier clockDoubtful;
  private final Function<Request, CompletableFuture<Reply>> sdm;
  private final Map<String, Held> held = new HashMap<>();
  private long lastRound;
  private Instant lastLater = Instant.EPOCH.minus(LATER_ROUND);

  private record Held(long epoch, int looks) {}

  /**
   * @param hosts the live hosts that reach the repository
   * @param storageAnswers whether the storage answers this host
   * @param nanos a clock that only goes forward, in nanoseconds
   * @param clockDoubtful whether a time that seems to have come may not have come
   * @param sdm of this host; refuses when this host does not lead any more
   */
  Grants(
      Supplier<Set<Worker>> hosts,
      BooleanSupplier storageAnswers,
      LongSupplier nanos,
      InstantSource clock,
      BooleanSupplier clockDoubtful,
      Function<Request, CompletableFuture<Reply>> sdm) {
    this.hosts = hosts;
    this.storageAnswers = storageAnswers;
    this.nanos = nanos;
    this.lastRound = nanos.getAsLong();
    this.clock = clock;
    this.clockDoubtful = clockDoubtful;
    this.sdm = sdm;
  }

  /** Returns when the grants are committed. */
  void give(RepositoryState state) throws InterruptedException {
    Map<Worker, Integer> room = room(state.work());
    int places = room.values().stream().mapToInt(Integer::intValue).sum();
    Map<Worker, Map<String, Long>> given = new HashMap<>();
    for (FixState fix : waiting(state, room.keySet(), places)) {
      Worker host = roomiest(room, fix.worker());
      if (host != null) {
        room.merge(host, -1, Integer::sum);
        given.computeIfAbsent(host, ignored -> new HashMap<>()).put(fix.id(), fix.epoch());
      }
    }
    commit(given);
  }

  /** How many more fixes each host may get. */
  private Map<Worker, Integer> room(Fixes work) {
    Map<Worker, Integer> room = new HashMap<>();
    for (Worker host : hosts.get()) {
      room.put(host, Math.max(0, HELD_MAX - work.heldBy(host.incarnation()).size()));
    }
    return room;
  }

  private List<FixState> waiting(RepositoryState state, Set<Worker> able, int places) {
    Fixes work = state.work();
    Set<String> lives = new HashSet<>();
    able.forEach(host -> lives.add(host.incarnation()));
    Stream<String> left =
        work.holders().stream()
            .filter(holder -> !lives.contains(holder))
            .flatMap(holder -> work.heldBy(holder).stream());
    Stream<String> free =
        Stream.of(FixType.values())
            .sorted(Comparator.comparingInt(FixType::priority))
            .flatMap(type -> work.toGrant(type).stream());
    return Stream.of(overdue(state, lives).stream(), left, free, later(state))
        .flatMap(ids -> ids)
        .map(id -> Objects.requireNonNull(state.fixes().get(id)))
        .limit(places)
        .toList();
  }

  /** The fixes that waited after a failure, or for the end of a retention, and are due now. */
  private Stream<String> later(RepositoryState state) {
    Instant now = clock.instant();
    if (!now.isBefore(lastLater) && now.isBefore(lastLater.plus(LATER_ROUND))) {
      return Stream.empty();
    }
    lastLater = now;
    boolean doubtful = clockDoubtful.getAsBoolean();
    return state.work().later().stream()
        .filter(id -> {
          FixState fix = Objects.requireNonNull(state.fixes().get(id));
          Instant time = fix.retryAt();
          return time == null || (!time.isAfter(now) && !(doubtful && fix.retained()));
        });
  }

  private List<String> overdue(RepositoryState state, Set<String> lives) {
    long now = nanos.getAsLong();
    if (lives.size() < 2 || now - lastRound < ROUND.toNanos()) {
      return List.of();
    }
    lastRound = now;
    if (!storageAnswers.getAsBoolean()) {
      held.clear();
      return List.of();
    }
    List<String> overdue = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    for (String life : lives) {
      for (String id : state.work().heldBy(life)) {
        seen.add(id);
        FixState fix = Objects.requireNonNull(state.fixes().get(id));
        Held before = held.get(id);
        int looks = before == null || before.epoch() != fix.epoch() ? 1 : before.looks() + 1;
        held.put(id, new Held(fix.epoch(), looks));
        if (looks > LOOKS_MAX) {
          overdue.add(id);
        }
      }
    }
    held.keySet().retainAll(seen);
    return overdue;
  }

  /** The host with the most room, except the one that holds the fix already. */
  private static @Nullable Worker roomiest(Map<Worker, Integer> room, @Nullable Worker holder) {
    return room.entrySet().stream()
        .filter(entry -> entry.getValue() > 0 && !entry.getKey().equals(holder))
        .max(Map.Entry.comparingByValue())
        .map(Map.Entry::getKey)
        .orElse(null);
  }

  private void commit(Map<Worker, Map<String, Long>> given) throws InterruptedException {
    List<CompletableFuture<Reply>> commits = new ArrayList<>();
    given.forEach((host, epochs) -> commits.add(sdm.apply(new GrantFixes(host, epochs))));
    try {
      CompletableFuture.allOf(commits.toArray(CompletableFuture[]::new))
          .get(COMMIT_SECONDS_MAX, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      LOG.debug("Granting fixes has to wait", e);
    }
  }
}
