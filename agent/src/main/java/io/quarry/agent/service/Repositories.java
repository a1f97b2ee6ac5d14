package io.quarry.agent.service;

import io.quarry.agent.format.RepositoryFormat;
import io.quarry.agent.format.RepositoryFormats;
import io.quarry.agent.format.RepositoryStorage;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.Repository;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.log.LogDamagedException;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.Reply;
import java.io.IOException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/** The repositories connected on this host, by the caller's repoId. */
public final class Repositories {
  /** A long log on a busy machine; whether the storage answers at all is known by then. */
  private static final Duration REPLAY_MAX = Duration.ofSeconds(60);

  private final ConnectedRepository.Shared shared;
  private final Map<String, ConnectedRepository> connected = new ConcurrentHashMap<>();

  /** Named by the agent's configuration, connected or not yet. */
  private final Set<String> expected = ConcurrentHashMap.newKeySet();

  private final Turns repoIds = new Turns();
  private final Turns keys = new Turns();
  private final StorageIo io;

  public Repositories(ConnectedRepository.Shared shared, StorageIo io) {
    this.shared = shared;
    this.io = io;
  }

  /** It will be connected by the agent itself. */
  public void expect(String repoId) {
    expected.add(repoId);
  }

  public List<ConnectedRepository> all() {
    return connected.values().stream()
        .sorted(Comparator.comparing(ConnectedRepository::repoId))
        .toList();
  }

  public ConnectedRepository get(String repoId) {
    ConnectedRepository repository = connected.get(repoId);
    if (repository == null && expected.contains(repoId)) {
      throw new StorageException(
          ErrorCode.REPOSITORY_UNRESPONSIVE,
          "repository " + repoId + " has yet to be connected on this host",
          repoId,
          "repeat the call, or ask another agent; the agent's log says what it waits for");
    }
    if (repository == null) {
      throw new StorageException(
          ErrorCode.REPOSITORY_NOT_CONNECTED,
          "no repository " + repoId + " is connected on this host",
          repoId,
          "connect it first; list the repositories to see what is connected here");
    }
    return repository;
  }

  /** Whether the storage of any of them does not answer. */
  boolean anyHangs() {
    return !connected.values().stream().allMatch(ConnectedRepository::responsive);
  }

  public Optional<ConnectedRepository> byKey(String key) {
    return connected.values().stream().filter(one -> one.key().equals(key)).findAny();
  }

  /** The same for those who work on images that may be anywhere. */
  public Optional<Repository> holder(String key) {
    return byKey(key).map(Function.identity());
  }

  /** The state as the storage has it now, which may be ahead of what is known here. */
  LogState newest(ConnectedRepository repository) {
    return io.call(repository, () -> repository.replica().refresh());
  }

  /** What is known here, and stays whatever happens to its SDM, and to the power. */
  LogState durable(ConnectedRepository repository) {
    return io.call(repository, () -> repository.replica().durable());
  }

  /**
   * A state with what was just committed in it. That stands, so a failure here is no refusal.
   *
   * @throws StorageException OUTCOME_UNKNOWN: repeating the call gives the answer
   */
  static LogState committed(ConnectedRepository repository, String requestId, Reply reply) {
    FaultPoints.reach("call.committed");
    try {
      return repository.atLeast(reply.commit());
    } catch (StorageException e) {
      throw new StorageException(
          ErrorCode.OUTCOME_UNKNOWN,
          "the call is committed in "
              + reply.commit()
              + ", its answer cannot be given: "
              + e.getMessage(),
          requestId,
          "repeat the call with the same request id, here or at another agent",
          e);
    }
  }

  /** The same parameters again change nothing; the new connection is not started yet. */
  Connection connect(ConnectRequest request) {
    Names.check("repoId", request.repoId());
    RepositoryFormat format = RepositoryFormats.find(request.repoFormat());
    format.checkParameters(request.connectionParameters());
    try (var _ = repoIds.take(request.repoId())) {
      var identity =
          new ConnectedRepository.Identity(
              request.repoId(), request.repoFormat(), request.connectionParameters());
      ConnectedRepository present = connected.get(request.repoId());
      if (present == null) {
        return new Connection(connect(identity, open(request, format)), true);
      }
      if (present.identity().equals(identity)) {
        return new Connection(present, false);
      }
      throw new StorageException(
          ErrorCode.REPOSITORY_ID_TAKEN,
          "repoId " + request.repoId() + " is connected with other parameters",
          request.repoId(),
          "choose another repoId, or disconnect that one first");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StorageException(
          ErrorCode.AGENT_UNAVAILABLE,
          "the agent stops",
          request.repoId(),
          "repeat the call, or ask another agent",
          e);
    }
  }

  private RepositoryStorage open(ConnectRequest request, RepositoryFormat format) {
    String writer = shared.self().hostId() + "@" + shared.self().incarnation();
    return io.open(
        request.repoId(),
        StorageIo.DEADLINE,
        () -> format.connect(request.connectionParameters(), request.create(), writer),
        RepositoryStorage::close);
  }

  /** Two repoIds may be given to one storage at the same time: the second one is refused. */
  private ConnectedRepository connect(
      ConnectedRepository.Identity identity, RepositoryStorage storage)
      throws InterruptedException {
    try (var _ = keys.take(storage.genesis().key())) {
      byKey(storage.genesis().key())
          .ifPresent(same -> {
            throw new StorageException(
                ErrorCode.REPOSITORY_IN_USE,
                "this storage is connected already, as " + same.repoId(),
                same.repoId(),
                "use that repoId, or disconnect it first");
          });
      ConnectedRepository repository =
          io.open(
              identity.repoId(),
              REPLAY_MAX,
              () -> new ConnectedRepository(identity, storage, shared),
              ConnectedRepository::close);
      connected.put(identity.repoId(), repository);
      return repository;
    } catch (RuntimeException | InterruptedException e) {
      storage.close();
      throw e;
    }
  }

  /**
   * @param fresh whether it has to be started
   */
  record Connection(ConnectedRepository repository, boolean fresh) {}

  /** Takes it out of the list; the caller closes it. */
  Optional<ConnectedRepository> remove(String repoId) {
    expected.remove(repoId);
    return Optional.ofNullable(connected.remove(repoId));
  }

  /** Why the repository is not as it should be, or null. */
  static @org.jspecify.annotations.Nullable String trouble(ConnectedRepository repository) {
    LogDamagedException damage = repository.replica().damage();
    if (damage != null) {
      return damage.getMessage();
    }
    if (!repository.responsive()) {
      return repository.pulse().unresponsive().getMessage();
    }
    IOException trouble = repository.replica().trouble();
    return trouble == null ? null : trouble.toString();
  }
}
