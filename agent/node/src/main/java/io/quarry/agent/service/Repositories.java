package io.quarry.agent.service;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.Repository;
import io.quarry.agent.repository.StorageIdentity;
import io.quarry.agent.service.Connections.Connection;
import io.quarry.agent.service.Connections.Kind;
import io.quarry.agent.storage.RepositoryFormat;
import io.quarry.agent.storage.RepositoryFormats;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.cluster.Canary;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.LogUnreadableException;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RequestId;
import java.io.IOException;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The repositories connected on this host, by the caller's repoId. */
public final class Repositories {
  /**
   * Enough for a long log on a busy machine; by then it is known whether the storage answers at
   * all.
   */
  private static final Duration REPLAY_MAX = Duration.ofSeconds(60);

  private final ConnectedRepository.Shared shared;
  private final Map<String, ConnectedRepository> connected = new ConcurrentHashMap<>();

  /** Names in the agent's configuration, connected or not yet. */
  private final Set<String> expected = ConcurrentHashMap.newKeySet();

  private final KeyedLock repoIds = new KeyedLock();
  private final KeyedLock keys = new KeyedLock();
  private final StorageIo io;
  private final Connections connections;
  private final RepositoryFormats formats;

  public Repositories(
      ConnectedRepository.Shared shared,
      StorageIo io,
      Connections connections,
      RepositoryFormats formats) {
    this.shared = shared;
    this.io = io;
    this.connections = connections;
    this.formats = formats;
  }

  /** Announces that the agent itself will connect the repository. */
  public void expect(String repoId) {
    expected.add(repoId);
  }

  /** How long the repository's connection lasts. */
  Connections.Kind kind(String repoId) {
    return connections.find(repoId).map(Connection::kind).orElse(Kind.TRANSIENT);
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
      throw notConnected(repoId);
    }
    return repository;
  }

  private static StorageException notConnected(String repoId) {
    return new StorageException(
        ErrorCode.REPOSITORY_NOT_CONNECTED,
        "no repository " + repoId + " is connected on this host",
        repoId,
        "connect it first; list the repositories to see what is connected here");
  }

  /** Whether the storage of any connected repository does not answer. */
  boolean anyHangs() {
    return !connected.values().stream().allMatch(ConnectedRepository::responsive);
  }

  public Optional<ConnectedRepository> byKey(String key) {
    return connected.values().stream().filter(one -> one.key().equals(key)).findAny();
  }

  /** The repository of that key, for code that works on images in any repository. */
  public Optional<Repository> holder(String key) {
    return byKey(key).map(Function.identity());
  }

  /** The state as the storage has it now, which may be ahead of this host's replica. */
  LogState newest(ConnectedRepository repository) {
    return io.call(repository, () -> repository.replica().refresh());
  }

  /** The known state that no SDM's death and no power cut can revoke. */
  LogState durable(ConnectedRepository repository) {
    return io.call(repository, () -> repository.replica().durable());
  }

  /**
   * A state that includes a commit just made. The commit stands, so a failure here is no refusal.
   *
   * @throws StorageException OUTCOME_UNKNOWN: repeating the call gives the answer
   */
  static LogState committed(ConnectedRepository repository, RequestId requestId, Reply reply) {
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
          requestId.value(),
          "repeat the call with the same request id, here or at another agent",
          e);
    }
  }

  /**
   * Connects a repository; a repeated call with the same parameters changes nothing. A new
   * connection is not started yet.
   */
  Connected connect(ConnectRequest request) {
    return connect(request, kind(request), false);
  }

  Connected connect(ConnectRequest request, Kind kind) {
    return connect(request, kind, false);
  }

  /** Connects a repository on a storage that may be empty. */
  Connected create(ConnectRequest request) {
    return connect(request, kind(request), true);
  }

  private static Kind kind(ConnectRequest request) {
    return request.persistent() ? Kind.PERSISTENT : Kind.TRANSIENT;
  }

  private Connected connect(ConnectRequest request, Kind kind, boolean create) {
    ArgumentChecks.check("repoId", request.repoId());
    RepositoryFormat format = formats.find(request.repoFormat());
    format.checkParameters(request.connectionParameters());
    try (var _ = repoIds.take(request.repoId())) {
      var identity =
          new ConnectedRepository.Identity(
              request.repoId(), request.repoFormat(), request.connectionParameters());
      ConnectedRepository present = connected.get(request.repoId());
      if (present == null) {
        return new Connected(connect(identity, request, open(request, format, create), kind), true);
      }
      if (request.adopt() != null) {
        throw new StorageException(
            ErrorCode.REPOSITORY_IN_USE,
            "repository " + request.repoId() + " is connected on this host",
            request.repoId(),
            "disconnect it first, then adopt the storage");
      }
      if (present.identity().equals(identity)) {
        return new Connected(present, false);
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

  /** A known name has its storage already, so a missing storage is never created anew. */
  private RepositoryStorage open(
      ConnectRequest request, RepositoryFormat format, boolean mayCreate) {
    boolean known =
        connections.find(request.repoId()).isPresent() || !elsewhere(request.repoId()).isEmpty();
    if (request.adopt() == ConnectRequest.Adopt.COPY) {
      if (known) {
        throw taken(
            request.repoId(),
            request.repoId() + " names another repository on this host or a live one",
            "choose another repoId for the copy");
      }
      rekey(request, format);
    }
    boolean create = mayCreate && !known;
    String writer = shared.self().hostId() + "@" + shared.self().incarnation();
    return io.open(
        request.repoId(),
        format.connectMax(),
        () -> format.connect(request.connectionParameters(), create, writer),
        RepositoryStorage::close);
  }

  /** Only a storage that no SDM writes to becomes a repository of its own. */
  private void rekey(ConnectRequest request, RepositoryFormat format) {
    io.<@Nullable Object>call(
        request.repoId(),
        StorageIdentity.WATCH_MAX.plus(format.connectMax()),
        () -> {
          String writer = shared.self().hostId() + "@" + shared.self().incarnation();
          try (RepositoryStorage copy =
              format.connect(request.connectionParameters(), false, writer)) {
            StorageIdentity.requireCopy(copy, shared.cluster());
          }
          format.rekey(request.connectionParameters());
          return null;
        });
  }

  /** The key that another live host has for the name, by host. */
  private Map<String, String> elsewhere(String repoId) {
    Map<String, String> keys = new HashMap<>();
    for (HostRecord host : shared.hosts().live()) {
      if (host.hostId().equals(shared.self().hostId())) {
        continue;
      }
      host.repositories()
          .forEach((key, there) -> {
            if (there.repoId().equals(repoId)) {
              keys.put(host.hostId(), key);
            }
          });
    }
    return keys;
  }

  /** With one name for two storages, a caller would look for a disk in the wrong one. */
  private void requireSameName(String repoId, String key) {
    connections
        .find(repoId)
        .filter(known -> !known.key().equals(key))
        .ifPresent(known -> {
          throw taken(
              repoId,
              "this host knows "
                  + repoId
                  + " as another repository, with the parameters "
                  + known.connectionParameters(),
              "mount what belongs there, or run `quarry repo disconnect "
                  + repoId
                  + "` to forget it");
        });
    elsewhere(repoId)
        .forEach((hostId, other) -> {
          if (!other.equals(key)) {
            throw taken(
                repoId,
                "host " + hostId + " uses " + repoId + " for another repository",
                "mount what belongs there, or choose another repoId");
          }
        });
  }

  private static StorageException taken(String repoId, String message, String remedy) {
    return new StorageException(ErrorCode.REPOSITORY_ID_TAKEN, message, repoId, remedy);
  }

  /** Two repoIds may be given to one storage at the same time: the second one is refused. */
  private ConnectedRepository connect(
      ConnectedRepository.Identity identity,
      ConnectRequest request,
      RepositoryStorage storage,
      Kind kind)
      throws InterruptedException {
    String key = storage.genesis().key();
    try (var _ = keys.take(key)) {
      requireSameName(identity.repoId(), key);
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
              () -> proven(new ConnectedRepository(identity, storage, shared), request.adopt()),
              ConnectedRepository::close);
      connections.put(
          new Connection(identity.repoId(), identity.format(), identity.parameters(), key, kind));
      connected.put(identity.repoId(), repository);
      return repository;
    } catch (RuntimeException | InterruptedException e) {
      storage.close();
      throw e;
    }
  }

  private static ConnectedRepository proven(
      ConnectedRepository repository, ConnectRequest.@Nullable Adopt adopt)
      throws IOException, InterruptedException {
    try {
      repository.prove(adopt == ConnectRequest.Adopt.RESTORED);
      return repository;
    } catch (IOException | InterruptedException | RuntimeException e) {
      repository.close();
      throw e;
    }
  }

  /**
   * @param fresh whether the caller has to start the repository
   */
  record Connected(ConnectedRepository repository, boolean fresh) {}

  /** Forgets a connection that could not be started, so that it can be made again. */
  void giveUp(ConnectedRepository repository) {
    connected.remove(repository.repoId(), repository);
    repository.close();
  }

  /** Whether the agent itself is to connect the repository. */
  public boolean expects(String repoId) {
    return expected.contains(repoId);
  }

  /**
   * Removes the repository from the list and forgets its name; the caller closes it. Empty when the
   * agent had not connected it yet.
   */
  Optional<ConnectedRepository> remove(String repoId) {
    if (!connected.containsKey(repoId) && connections.find(repoId).isEmpty() && !expects(repoId)) {
      throw notConnected(repoId);
    }
    expected.remove(repoId);
    connections.remove(repoId);
    return Optional.ofNullable(connected.remove(repoId));
  }

  /** Why the repository is not as it should be, or null. */
  public static @Nullable String trouble(ConnectedRepository repository) {
    LogUnreadableException unreadable = repository.replica().unreadable();
    if (unreadable != null) {
      return unreadable.getMessage();
    }
    String difference = repository.storageIdentity().difference();
    if (difference != null) {
      return "the storage is not the one that the SDM writes to: " + difference;
    }
    if (!repository.responsive()) {
      return repository.pulse().unresponsive().getMessage();
    }
    StorageException failing = repository.pulse().failing();
    if (failing != null) {
      return failing.getMessage() + "; " + failing.remedy();
    }
    Canary intruder = repository.storageIdentity().intruder();
    if (intruder != null) {
      return "another cluster uses this storage: its SDM " + intruder.writer() + " writes to it";
    }
    Throwable trouble = repository.replica().trouble();
    return trouble == null ? null : "its log cannot be read: " + trouble;
  }
}
