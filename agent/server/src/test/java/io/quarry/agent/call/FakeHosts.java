package io.quarry.agent.call;

import io.quarry.common.api.Committed;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.HostInfo;
import io.quarry.common.api.HostInfo.HostRepository;
import io.quarry.common.api.HostPage;
import io.quarry.common.api.PageQuery;
import io.quarry.common.api.RepositoryInfo;
import io.quarry.common.api.StorageException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Repositories, and the hosts that have them connected. */
abstract class FakeHosts extends FakeState {
  private @Nullable Instant drainedSince;

  private long throttle;

  public long throttle() {
    return throttle;
  }

  @Override
  public RepositoryInfo connectStorageRepository(ConnectRequest request) {
    if (!request.repoFormat().equals("localfs-1.0")) {
      throw StorageException.invalid(
          "repoFormat", "no such format: " + request.repoFormat(), "Use localfs-1.0.");
    }
    repositories.put(request.repoId(), request);
    images.computeIfAbsent(request.repoId(), each -> new TreeMap<>());
    return getStorageRepository(request.repoId());
  }

  @Override
  public RepositoryInfo createStorageRepository(ConnectRequest request) {
    return connectStorageRepository(request);
  }

  @Override
  public void disconnectStorageRepository(String repoId) {
    images(repoId);
    repositories.remove(repoId);
  }

  @Override
  public Committed upgradeStorageRepository(String repoId, @Nullable String requestId) {
    images(repoId);
    return committed();
  }

  @Override
  public List<RepositoryInfo> listStorageRepositories() {
    return repositories.keySet().stream().map(this::getStorageRepository).toList();
  }

  @Override
  public RepositoryInfo getStorageRepository(String repoId) {
    Map<String, Integer> counts = new TreeMap<>();
    images(repoId)
        .values()
        .forEach(
            each -> counts.merge(each.hidden ? "hidden" : each.state.label(), 1, Integer::sum));
    ConnectRequest request = Objects.requireNonNull(repositories.get(repoId));
    return new RepositoryInfo(
        repoId,
        request.repoFormat(),
        request.connectionParameters(),
        252 * GIB,
        80 * GIB,
        images(repoId).values().stream().mapToLong(each -> each.size / 2).sum(),
        64L << 40,
        "readOnly",
        "thisHost",
        "host-1",
        counts,
        (int) works.stream().filter(work -> work.repo.equals(repoId)).count(),
        "ok",
        null,
        commit,
        "persistent",
        List.of("callDigests"),
        List.of());
  }

  @Override
  public HostPage listHosts(PageQuery query) {
    List<HostRepository> here =
        repositories.values().stream()
            .map(each -> new HostRepository(each.repoId(), each.repoFormat(), true, true))
            .toList();
    return query.of(
        List.of(
            new HostInfo(
                "host-1",
                "1",
                "http://127.0.0.1:7071",
                NOON,
                "0.1.0",
                here,
                works.size(),
                2,
                drainedSince,
                null),
            new HostInfo(
                "host-2",
                "1",
                "http://127.0.0.1:7072",
                NOON,
                "0.1.0",
                List.of(new HostRepository("far", "localfs-1.0", false, false)),
                0,
                2,
                null,
                null)),
        HostInfo::hostId,
        HostPage::new);
  }

  @Override
  public void drainHost(String hostId, boolean drained) {
    if (!hostId.equals("host-1")) {
      throw new StorageException(
          ErrorCode.HOST_NOT_FOUND, "no such host is live", hostId, "See quarry host list.");
    }
    drainedSince = drained ? NOON : null;
  }

  @Override
  public void fenceHost(String hostId) {
    if (hostId.equals("host-10")) {
      throw new StorageException(
          ErrorCode.HOST_NOT_FOUND, "no host host-10 is known", hostId, "Compare the name.");
    }
    if (!hostId.equals("host-9")) {
      throw new StorageException(
          ErrorCode.INVALID_ARGUMENT, "the host is alive", hostId, "Stop it first.");
    }
  }

  @Override
  public void setThrottle(long bytesPerSecond) {
    if (bytesPerSecond == 13) {
      throw new IllegalStateException("unlucky");
    }
    throttle = bytesPerSecond;
  }
}
