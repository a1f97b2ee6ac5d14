package io.quarry.agent.chaos;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.agent.chaos.Arena.Sights;
import io.quarry.agent.chaos.Arena.Strike;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.dev.DeleteTree;
import io.quarry.agent.dev.LocalHost;
import io.quarry.common.api.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Faults in which a host finds another storage than before. The host's path leads to an older copy
 * or nowhere, or the repository's key has changed or is gone. No host may commit to a copy, and no
 * host may report itself healthy.
 */
public final class IdentityFaults {
  /** The kinds that this class can cause. */
  public static final Set<Fault.Kind> KINDS =
      EnumSet.of(Fault.Kind.STORAGE_COPY, Fault.Kind.WIPED_KEY);

  /** The name that keeps a second such fault away: two at once would hide each other. */
  private static final String IDENTITY = "identity";

  private static final String KEY = "repository.json";

  /** Two beats of an SDM: a younger copy cannot be told from the original. */
  private static final Duration OLD = Duration.ofSeconds(10);

  private final Path storage;
  private final List<String> repositories;
  private final Path aside;
  private final StoragePaths ways;
  private final List<LocalHost> hosts;
  private Map<String, RepositoryCopy> copies;
  private long copiedNanos;

  /**
   * @param storage the directory of the repositories
   * @param aside in the same filesystem, for copies
   */
  public IdentityFaults(
      Path storage, List<String> repositories, Path aside, StoragePaths ways, List<LocalHost> hosts)
      throws IOException {
    this.storage = storage;
    this.repositories = List.copyOf(repositories);
    this.aside = aside;
    this.ways = ways;
    this.hosts = List.copyOf(hosts);
    this.copies = copy();
  }

  private Map<String, RepositoryCopy> copy() throws IOException {
    DeleteTree.of(aside);
    Map<String, RepositoryCopy> taken = new HashMap<>();
    for (String repoId : repositories) {
      taken.put(repoId, RepositoryCopy.take(storage.resolve(repoId), aside.resolve(repoId)));
    }
    copiedNanos = System.nanoTime();
    return taken;
  }

  /**
   * @param victim the host whose path is to lead elsewhere; null when there is none now
   */
  public @Nullable Strike strike(
      Fault fault, @Nullable LocalHost victim, Set<String> busy, Sights sights) throws IOException {
    if (busy.contains(ProcessFaults.EVERYTHING) || busy.contains(IDENTITY)) {
      return null;
    }
    if (fault.kind() == Fault.Kind.WIPED_KEY) {
      return wipeKey(fault, sights);
    }
    if (victim == null) {
      return null;
    }
    boolean kill = fault.roll() / 2 % 2 == 0;
    return fault.roll() % 4 == 0
        ? moveAway(fault, victim, kill, sights)
        : leadToCopy(fault, victim, kill, sights);
  }

  private Strike moveAway(Fault fault, LocalHost victim, boolean kill, Sights sights)
      throws IOException {
    ways.leadNowhere(victim.hostId());
    String what = "the storage of " + victim.hostId() + " is not mounted";
    return struck(what, fault, victim, kill, sights, () -> ways.leadBack(victim.hostId()));
  }

  private @Nullable Strike leadToCopy(Fault fault, LocalHost victim, boolean kill, Sights sights)
      throws IOException {
    if (System.nanoTime() - copiedNanos < OLD.toNanos() || !hasSeenMore(victim)) {
      return null;
    }
    ways.lead(victim.hostId(), aside);
    String what = "the storage of " + victim.hostId() + " is an older copy";
    return struck(
        what,
        fault,
        victim,
        kill,
        sights,
        () -> {
          for (Map.Entry<String, RepositoryCopy> each : copies.entrySet()) {
            Set<String> committed = each.getValue().committed();
            if (!committed.isEmpty()) {
              sights.violation("a copy of " + each.getKey() + " was committed to: " + committed);
            }
          }
          ways.leadBack(victim.hostId());
          copies = copy();
        });
  }

  /**
   * Whether the host has seen more of the log than the copy holds. Otherwise the copy has all that
   * the host knows, if ZooKeeper is wiped, too.
   */
  private boolean hasSeenMore(LocalHost victim) throws IOException {
    for (Map.Entry<String, RepositoryCopy> each : copies.entrySet()) {
      String key = genesis(storage.resolve(each.getKey())).path("key").asText();
      Path seen = victim.stateDirectory().resolve("seen").resolve(key + ".json");
      if (!each.getValue().lacksCanary()
          || !Files.exists(seen)
          || Json.MAPPER.readTree(Files.readAllBytes(seen)).path("sequence").asLong()
              <= each.getValue().newest()) {
        return false;
      }
    }
    return true;
  }

  private static ObjectNode genesis(Path repository) throws IOException {
    return (ObjectNode) Json.MAPPER.readTree(Files.readAllBytes(repository.resolve(KEY)));
  }

  /** Lasts until the host's agent reports the fault. */
  private Strike struck(
      String what, Fault fault, LocalHost victim, boolean kill, Sights sights, Arena.Ending ending)
      throws IOException {
    String name = victim.hostId();
    if (kill) {
      victim.killAgent();
    }
    FaultDetection noticing =
        new FaultDetection(
            fault.lasts(), () -> isNoticed(victim), what + ", and it is well", sights);
    return new Strike(
        what + (kill ? ", and its agent starts anew" : ""),
        Set.of(name, IDENTITY),
        kill ? Set.of(name) : Set.of(),
        kill ? 1 : 0,
        FaultDetection.PATIENCE,
        noticing,
        null,
        () -> {
          noticing.end();
          ending.end();
        });
  }

  private boolean isNoticed(LocalHost host) throws InterruptedException {
    String said = host.trouble().orElse("");
    return repositories.stream().allMatch(repoId -> said.contains("repository " + repoId));
  }

  /** Strikes all hosts: the key file is gone, or names another repository. */
  private Strike wipeKey(Fault fault, Sights sights) throws IOException {
    String repoId = repositories.get(fault.roll() % repositories.size());
    Path file = storage.resolve(repoId).resolve(KEY);
    Path kept = storage.resolve(repoId + "." + KEY);
    boolean replaced = fault.roll() / 2 % 2 == 0;
    if (replaced) {
      // The same file returns by a link: a copied file could be empty after a power cut.
      Files.createLink(kept, file);
      Path other = storage.resolve(repoId + ".other." + KEY);
      Files.copy(file, other, StandardCopyOption.COPY_ATTRIBUTES);
      ObjectNode genesis = genesis(storage.resolve(repoId));
      Files.write(
          other, Json.MAPPER.writeValueAsBytes(genesis.put("key", UUID.randomUUID().toString())));
      Files.move(other, file, StandardCopyOption.ATOMIC_MOVE);
    } else {
      Files.move(file, kept, StandardCopyOption.ATOMIC_MOVE);
    }
    String what = repoId + (replaced ? " has another key" : " has no key");
    FaultDetection noticing =
        new FaultDetection(
            fault.lasts(), this::noneIsWell, what + ", and an agent is well", sights);
    return new Strike(
        what,
        Set.of(IDENTITY),
        Set.of(),
        0,
        FaultDetection.PATIENCE,
        noticing,
        null,
        () -> {
          noticing.end();
          Files.move(kept, file, StandardCopyOption.ATOMIC_MOVE);
          // A power cut must not remove the key again.
          try (Folder repository = Folder.open(storage.resolve(repoId))) {
            repository.force();
          }
        });
  }

  /** Whether no agent reports health. Because of other faults, not all agents answer. */
  private boolean noneIsWell() throws InterruptedException {
    for (LocalHost host : hosts) {
      if (host.ready()) {
        return false;
      }
    }
    return true;
  }
}
