package io.quarry.agent.service;

import io.quarry.agent.fix.InsufficientSpace;
import io.quarry.agent.fix.SpaceBudget;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.FixOwners;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.plan.FixState;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells which fixes have to wait for space. */
final class SpaceWaits {
  private static final Logger LOG = LoggerFactory.getLogger(SpaceWaits.class);
  private static final long FRESH_NANOS = Duration.ofMillis(500).toNanos();
  private static final Duration ANSWER_MAX = Duration.ofSeconds(2);
  private static final int KEPT_MAX = 10_000;

  /** The most fixes of one repository that are judged; later ones wait for their turn anyway. */
  private static final int LOOKED_AT_MAX = 100;

  private final SpaceBudget budget;
  private final StorageIo io;
  private final BooleanSupplier hangs;
  private final Map<String, Kept> kept = new ConcurrentHashMap<>();

  private record Kept(@Nullable InsufficientSpace shortage, long readNanos) {}

  /**
   * @param hangs whether any storage is known to hang
   */
  SpaceWaits(SpaceBudget budget, StorageIo io, BooleanSupplier hangs) {
    this.budget = budget;
    this.io = io;
    this.hangs = hangs;
  }

  /** Null when the fix need not wait, or runs. */
  @Nullable InsufficientSpace of(ConnectedRepository repository, FixState fix) {
    if (!FixOwners.of(repository).mayWaitForSpace(fix)) {
      return null;
    }
    String key = repository.key() + "/" + fix.id();
    Kept known = kept.get(key);
    if (known == null || System.nanoTime() - known.readNanos() > FRESH_NANOS) {
      if (kept.size() > KEPT_MAX) {
        kept.clear();
      }
      Optional<InsufficientSpace> now =
          ask(
              repository,
              () -> Optional.ofNullable(budget.look(repository).shortage(fix)),
              Optional.empty());
      known = new Kept(now.orElse(null), System.nanoTime());
      kept.put(key, known);
    }
    return known.shortage();
  }

  /** The fixes that have to wait, by id. */
  Map<String, InsufficientSpace> of(
      ConnectedRepository repository, Collection<FixState> fixes, FixOwners holders) {
    List<FixState> candidates =
        fixes.stream().filter(holders::mayWaitForSpace).limit(LOOKED_AT_MAX).toList();
    if (candidates.isEmpty()) {
      return Map.of();
    }
    return ask(
        repository,
        () -> {
          Map<String, InsufficientSpace> waiting = new HashMap<>();
          SpaceBudget.Room room = budget.look(repository);
          for (FixState fix : candidates) {
            InsufficientSpace shortage = room.shortage(fix);
            if (shortage != null) {
              waiting.put(fix.id(), shortage);
            }
          }
          return waiting;
        },
        Map.of());
  }

  /**
   * A copy's need is asked from its source's storage as well. If that storage does not answer, the
   * answer leaves space out. So calls about the repository itself do not wait for another storage.
   */
  private <T> T ask(ConnectedRepository repository, Callable<T> question, T otherwise) {
    if (hangs.getAsBoolean()) {
      return otherwise;
    }
    try {
      return io.call("space of " + repository.repoId(), ANSWER_MAX, question);
    } catch (StorageException e) {
      LOG.debug("Which fixes wait for space is unknown: {}", e.getMessage());
      return otherwise;
    }
  }
}
