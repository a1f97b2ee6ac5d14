package io.quarry.common.client;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CheckReport;
import io.quarry.common.api.CloseOpensRequest;
import io.quarry.common.api.ClosedOpens;
import io.quarry.common.api.Committed;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.CreateSnapshotRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.EventStream;
import io.quarry.common.api.ExtentQuery;
import io.quarry.common.api.FinishUploadRequest;
import io.quarry.common.api.FixPage;
import io.quarry.common.api.FixQuery;
import io.quarry.common.api.FixQueued;
import io.quarry.common.api.FixRequest;
import io.quarry.common.api.HostPage;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.ImageExplanation;
import io.quarry.common.api.ImageExtents;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.ImagePage;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.ImageStatus;
import io.quarry.common.api.Json;
import io.quarry.common.api.OpenInfo;
import io.quarry.common.api.OpenPage;
import io.quarry.common.api.OpenQuery;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.PageQuery;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.RepositoryInfo;
import io.quarry.common.api.RequestOutcome;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.api.StorageApi;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.TaskPage;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.api.UploadRange;
import io.quarry.common.model.ImageState;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The API over HTTP. A call goes to the agent that answered last, and to the next one when that
 * agent cannot be reached or asks to try again. Every try of a change carries the same request id,
 * so that the change has one effect. Reads show what this client has written, on any agent.
 * Thread-safe.
 *
 * <p>Calls about one host (connect, disconnect, open, throttle) go to the first agent of the list
 * and to no other: name the host's agent with {@link #withAgents}.
 */
public final class StorageClient implements StorageApi, AutoCloseable {
  /** Longest single wait for a status; a longer wait takes several requests. */
  static final Duration STATUS_WAIT_MAX = Duration.ofSeconds(50);

  private static final int PORT_MAX = 65_535;
  private static final Duration STATUS_WAIT_GRACE = Duration.ofSeconds(10);

  /** An agent ends a part of a deep check by itself, but not before reading one file's metadata. */
  private static final Duration DEEP_CHECK_PART_MAX = Duration.ofSeconds(45);

  private static final Pattern REQUEST_ID = Pattern.compile("[!-~]{1,128}");

  /** An agent of a newer version may send fields that this client does not know. */
  private static final ObjectReader READER =
      Json.MAPPER.reader().without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

  private final List<URI> agents;
  private final ClientSettings settings;
  private final JsonHttp http;
  private final Failover failover;
  private final SeenCommits seen = new SeenCommits();

  public StorageClient(List<URI> agents) {
    this(agents, ClientSettings.DEFAULT);
  }

  public StorageClient(List<URI> agents, ClientSettings settings) {
    this(agents, settings, new JsonHttp());
  }

  /** Shares the connections of {@code http} with other users. */
  public StorageClient(List<URI> agents, ClientSettings settings, JsonHttp http) {
    agents.forEach(StorageClient::check);
    if (agents.isEmpty()) {
      throw StorageException.invalid("agents", "No agent is named.", "Name at least one.");
    }
    this.agents = List.copyOf(agents);
    this.settings = settings;
    this.http = http;
    this.failover = new Failover(agents, settings, http);
  }

  private static void check(URI agent) {
    String path = agent.getRawPath();
    if (!"http".equals(agent.getScheme())
        || agent.getHost() == null
        || agent.getPort() > PORT_MAX
        || !(path == null || path.isEmpty() || path.equals("/"))) {
      throw StorageException.invalid(
          agent.toString(), agent + " is not the address of an agent.", "Write http://host:port.");
    }
  }

  /** The same client for other agents, with shared connections, but without the commits seen. */
  public StorageClient withAgents(List<URI> others) {
    return new StorageClient(others, settings, http);
  }

  public List<URI> agents() {
    return agents;
  }

  /** Closes idle connections. */
  @Override
  public void close() {
    http.close();
  }

  @Override
  public RepositoryInfo connectStorageRepository(ConnectRequest request) {
    return connected("/v1/repositories", Failover.json(request));
  }

  /** The body of a create request, in the terms of the API. */
  private record Create(
      String repoFormat, Map<String, String> connectionParameters, boolean persistent) {}

  @Override
  public RepositoryInfo createStorageRepository(ConnectRequest request) {
    Create create =
        new Create(request.repoFormat(), request.connectionParameters(), request.persistent());
    Target target = Target.repository(request.repoId()).then("/create");
    return connected(path(target), Failover.json(create));
  }

  private RepositoryInfo connected(String path, byte[] body) {
    var post = new JsonHttp.Request("POST", path, body, null);
    RepositoryInfo info =
        atThisHost(Attempt.changing(post, settings.deadline()), RepositoryInfo.class);
    seen.saw(info.repoId(), info.commit());
    return info;
  }

  @Override
  public void disconnectStorageRepository(String repoId) {
    var request = new JsonHttp.Request("DELETE", path(Target.repository(repoId)), null, null);
    ErrorCode done = ErrorCode.REPOSITORY_NOT_CONNECTED;
    Attempt attempt = Attempt.changing(request, settings.deadline()).atThisHost().doneWhen(done);
    failover.call(attempt, settings.deadline());
    seen.forget(repoId);
  }

  @Override
  public Committed upgradeStorageRepository(String repoId, @Nullable String requestId) {
    Target target = Target.repository(repoId).then("/upgrade");
    return committed(repoId, change("POST", target, null, requestId, Committed.class));
  }

  private record Repositories(List<RepositoryInfo> repositories) {}

  @Override
  public List<RepositoryInfo> listStorageRepositories() {
    return read(Target.of("/v1/repositories"), Repositories.class).repositories();
  }

  @Override
  public RepositoryInfo getStorageRepository(String repoId) {
    return read(Target.repository(repoId), RepositoryInfo.class);
  }

  @Override
  public CreatedImage createVirtualDisk(
      String repoId, CreateVirtualDiskRequest request, @Nullable String requestId) {
    return created(repoId, "/virtual-disks", request, requestId);
  }

  @Override
  public CreatedImage createSnapshot(
      String repoId, CreateSnapshotRequest request, @Nullable String requestId) {
    return created(repoId, "/snapshots", request, requestId);
  }

  @Override
  public CreatedImage copyImage(
      String repoId, CopyImageRequest request, @Nullable String requestId) {
    return created(repoId, "/copies", request, requestId);
  }

  private CreatedImage created(
      String repoId, String path, Object request, @Nullable String requestId) {
    Target target = Target.repository(repoId).then(path);
    CreatedImage image = change("POST", target, request, requestId, CreatedImage.class);
    seen.saw(repoId, image.commit());
    return image;
  }

  @Override
  public Committed removeImage(
      String repoId, String imageId, RemoveImageOptions options, @Nullable String requestId) {
    Target target = Target.image(repoId, imageId);
    return committed(repoId, change("DELETE", target, options, requestId, Committed.class));
  }

  @Override
  public Committed restoreImage(String repoId, String imageId, @Nullable String requestId) {
    Target target = Target.image(repoId, imageId).then("/restore");
    return committed(repoId, change("POST", target, null, requestId, Committed.class));
  }

  private Committed committed(String repoId, Committed committed) {
    seen.saw(repoId, committed.commit());
    return committed;
  }

  @Override
  public ImagePage listImages(String repoId, ImageQuery query) {
    Target target =
        Target.repository(repoId)
            .then("/images")
            .with("kind", query.kind() == null ? null : query.kind().label())
            .with("state", query.state() == null ? null : query.state().label())
            .with("visibility", query.visibility().label())
            .with("label", query.label())
            .page(query.after(), query.limit())
            .atLeast(seen.atLeast(repoId, query.atLeast()));
    ImagePage page = read(target, ImagePage.class);
    seen.saw(repoId, page.commit());
    return page;
  }

  @Override
  public ImageInfo getImage(String repoId, String imageId, long atLeast) {
    Target target = Target.image(repoId, imageId).atLeast(seen.atLeast(repoId, atLeast));
    return read(target, ImageInfo.class);
  }

  @Override
  public ImageStatus getImageStatus(String repoId, String imageId, StatusQuery query) {
    long until = System.nanoTime() + query.timeout().toNanos();
    while (true) {
      Duration left = Duration.ofNanos(Math.max(0, until - System.nanoTime()));
      Duration wait = left.compareTo(STATUS_WAIT_MAX) < 0 ? left : STATUS_WAIT_MAX;
      ImageStatus status = status(repoId, imageId, query, wait);
      if (reached(status.state(), query.until()) || wait.equals(left)) {
        return status;
      }
    }
  }

  private ImageStatus status(String repoId, String imageId, StatusQuery query, Duration wait) {
    Target target =
        Target.image(repoId, imageId)
            .then("/status")
            .with("wait", wait.isZero() ? null : wait)
            .with("until", query.until() == null ? null : query.until().label())
            .atLeast(seen.atLeast(repoId, query.atLeast()));
    Duration timeout = wait.isZero() ? settings.attemptTimeout() : wait.plus(STATUS_WAIT_GRACE);
    byte[] body =
        failover.call(Attempt.reading(path(target), timeout), settings.deadline().plus(wait));
    ImageStatus status = parse(body, ImageStatus.class);
    seen.saw(repoId, status.commit());
    return status;
  }

  private static boolean reached(ImageState state, @Nullable ImageState until) {
    return until == null
        || state == until
        || (until == ImageState.DEGRADED && state == ImageState.OPTIMIZED);
  }

  @Override
  public ImageExplanation explainImage(String repoId, String imageId, long atLeast) {
    Target target =
        Target.image(repoId, imageId).then("/explain").atLeast(seen.atLeast(repoId, atLeast));
    return read(target, ImageExplanation.class);
  }

  @Override
  public Committed setUserData(
      String repoId, String imageId, ObjectNode userData, @Nullable String requestId) {
    Target target = Target.image(repoId, imageId).then("/user-data");
    return committed(repoId, change("PUT", target, userData, requestId, Committed.class));
  }

  @Override
  public Committed resizeImage(
      String repoId, String imageId, long size, @Nullable String requestId) {
    Target target = Target.image(repoId, imageId).then("/resize");
    Map<String, Long> body = Map.of("size", size);
    return committed(repoId, change("POST", target, body, requestId, Committed.class));
  }

  @Override
  public OpenedImage openImage(
      String repoId, String imageId, OpenRequest request, @Nullable String requestId) {
    Target target = Target.image(repoId, imageId).then("/open");
    String id = requestId(requestId);
    var post = new JsonHttp.Request("POST", path(target), Failover.json(request), id);
    Attempt attempt = Attempt.changing(post, settings.deadline()).cancelledBy(cancel(target, id));
    OpenedImage opened = atThisHost(attempt, OpenedImage.class);
    seen.saw(repoId, opened.commit());
    return opened;
  }

  @Override
  public Committed closeImage(
      String repoId, String imageId, String openId, @Nullable String requestId) {
    Target target = Target.image(repoId, imageId).then("/close");
    Map<String, String> body = Map.of("openId", openId);
    return committed(repoId, change("POST", target, body, requestId, Committed.class));
  }

  @Override
  public OpenPage listOpens(String repoId, OpenQuery query) {
    Target target =
        Target.repository(repoId)
            .then("/opens")
            .with("host", query.hostId())
            .page(query.after(), query.limit())
            .atLeast(seen.atLeast(repoId, query.atLeast()));
    return read(target, OpenPage.class);
  }

  @Override
  public OpenInfo getOpen(String repoId, String openId, long atLeast) {
    return read(Target.open(repoId, openId).atLeast(seen.atLeast(repoId, atLeast)), OpenInfo.class);
  }

  @Override
  public Committed closeOpen(
      String repoId, String openId, boolean force, @Nullable String requestId) {
    Target target = Target.open(repoId, openId).then("/close");
    Map<String, Boolean> body = Map.of("force", force);
    return committed(repoId, change("POST", target, body, requestId, Committed.class));
  }

  @Override
  public ClosedOpens closeOpens(
      String repoId, CloseOpensRequest request, @Nullable String requestId) {
    Target target = Target.repository(repoId).then("/close-opens");
    ClosedOpens closed = change("POST", target, request, requestId, ClosedOpens.class);
    seen.saw(repoId, closed.commit());
    return closed;
  }

  /** The stream goes on at another agent when its agent is lost. */
  @Override
  public ImageData downloadImage(String repoId, String imageId, DownloadRequest request) {
    Target target = Target.image(repoId, imageId).then("/data");
    return ImageDownload.open(failover, settings, target, request);
  }

  @Override
  public ImageExtents listImageExtents(String repoId, String imageId, ExtentQuery query) {
    Target target =
        Target.image(repoId, imageId)
            .then("/extents")
            .with("offset", query.offset())
            .with("limit", query.limit())
            .with("more", query.more());
    return read(target, ImageExtents.class);
  }

  @Override
  public UploadInfo beginUpload(
      String repoId, String imageId, BeginUploadRequest request, @Nullable String requestId) {
    Target target = Target.image(repoId, imageId).then("/uploads");
    return uploaded(repoId, change("POST", target, request, requestId, UploadInfo.class));
  }

  @Override
  public UploadInfo getUpload(String repoId, String imageId, String uploadId) {
    Target target = Target.image(repoId, imageId).then("/uploads").segment("uploadId", uploadId);
    return read(target, UploadInfo.class);
  }

  /** Goes on at another agent when the first one is lost. */
  @Override
  public UploadInfo uploadImage(
      String repoId, String imageId, String uploadId, UploadRange range, InputStream content) {
    Target target = Target.image(repoId, imageId).then("/data").with("uploadId", uploadId);
    return new ImageUpload(
            failover,
            settings,
            target,
            body -> parse(body, UploadInfo.class),
            () -> getUpload(repoId, imageId, uploadId).offset())
        .send(range, content);
  }

  @Override
  public UploadInfo finishUpload(
      String repoId,
      String imageId,
      String uploadId,
      FinishUploadRequest request,
      @Nullable String requestId) {
    Target target =
        Target.image(repoId, imageId)
            .then("/uploads")
            .segment("uploadId", uploadId)
            .then("/finish");
    return uploaded(repoId, change("POST", target, request, requestId, UploadInfo.class));
  }

  private UploadInfo uploaded(String repoId, UploadInfo info) {
    seen.saw(repoId, info.commit());
    return info;
  }

  @Override
  public CheckReport checkStorageRepository(String repoId, CheckOptions options) {
    var body =
        new CheckOptions(options.deep(), options.after(), seen.atLeast(repoId, options.atLeast()));
    String path = path(Target.repository(repoId).then("/check"));
    var request = new JsonHttp.Request("POST", path, Failover.json(body), null);
    Duration timeout =
        options.deep() ? settings.deadline().plus(DEEP_CHECK_PART_MAX) : settings.deadline();
    Attempt attempt = Attempt.reading(request, timeout);
    CheckReport report = parse(failover.call(attempt, timeout), CheckReport.class);
    seen.saw(repoId, report.commit());
    return report;
  }

  @Override
  public FixQueued fixStorageRepository(
      String repoId, FixRequest request, @Nullable String requestId) {
    Target target = Target.repository(repoId).then("/fixes");
    FixQueued queued = change("POST", target, request, requestId, FixQueued.class);
    seen.saw(repoId, queued.commit());
    return queued;
  }

  @Override
  public FixPage listFixes(String repoId, FixQuery query) {
    Target target =
        Target.repository(repoId)
            .then("/fixes")
            .page(query.after(), query.limit())
            .atLeast(seen.atLeast(repoId, query.atLeast()));
    return read(target, FixPage.class);
  }

  @Override
  public Committed pauseFix(String repoId, String fixId, @Nullable String requestId) {
    Target target = Target.fix(repoId, fixId).then("/pause");
    return committed(repoId, change("POST", target, null, requestId, Committed.class));
  }

  @Override
  public Committed resumeFix(String repoId, String fixId, @Nullable String requestId) {
    Target target = Target.fix(repoId, fixId).then("/resume");
    return committed(repoId, change("POST", target, null, requestId, Committed.class));
  }

  @Override
  public RequestOutcome cancelRequest(String repoId, String requestId) {
    Attempt attempt =
        Attempt.changing(
            cancel(Target.repository(repoId), requestId(requestId)), settings.attemptTimeout());
    byte[] body = failover.call(attempt, settings.deadline());
    RequestOutcome outcome = parse(body, RequestOutcome.class);
    seen.saw(repoId, outcome.commit());
    return outcome;
  }

  @Override
  public HostPage listHosts(PageQuery query) {
    return read(Target.of("/v1/hosts").fullPage(query.after(), query.limit()), HostPage.class);
  }

  @Override
  public void drainHost(String hostId, boolean drained) {
    Target target = Target.of("/v1/hosts").segment("hostId", hostId).then("/drain");
    byte[] body = Failover.json(Map.of("drained", drained));
    var request = new JsonHttp.Request("POST", path(target), body, null);
    failover.call(Attempt.changing(request, settings.deadline()), settings.deadline());
  }

  @Override
  public void fenceHost(String hostId) {
    order(Target.of("/v1/hosts").segment("hostId", hostId).then("/fence"), null);
  }

  @Override
  public TaskPage listTasks(@Nullable String hostId, PageQuery query) {
    Target target = Target.of("/v1/tasks").with("host", hostId);
    return read(target.fullPage(query.after(), query.limit()), TaskPage.class);
  }

  @Override
  public void stopTask(String taskId) {
    order(Target.of("/v1/tasks").segment("taskId", taskId).then("/stop"), ErrorCode.TASK_NOT_FOUND);
  }

  @Override
  public void releaseTask(String taskId) {
    order(
        Target.of("/v1/tasks").segment("taskId", taskId).then("/release"),
        ErrorCode.TASK_NOT_FOUND);
  }

  @Override
  public EventStream watchEvents(@Nullable String since) {
    return RemoteEvents.open(agents, settings, since);
  }

  @Override
  public void setThrottle(long bytesPerSecond) {
    byte[] body = Failover.json(Map.of("bytesPerSecond", bytesPerSecond));
    var request = new JsonHttp.Request("PUT", "/v1/throttle", body, null);
    failover.call(
        Attempt.changing(request, settings.attemptTimeout()).atThisHost(), settings.deadline());
  }

  private <T> T read(Target target, Class<T> type) {
    Attempt attempt = Attempt.reading(path(target), settings.attemptTimeout());
    return parse(failover.call(attempt, settings.deadline()), type);
  }

  private <T> T change(
      String method,
      Target target,
      @Nullable Object body,
      @Nullable String requestId,
      Class<T> type) {
    byte[] json = body == null ? null : Failover.json(body);
    String id = requestId(requestId);
    var request = new JsonHttp.Request(method, path(target), json, id);
    Attempt attempt =
        Attempt.changing(request, settings.attemptTimeout()).cancelledBy(cancel(target, id));
    return parse(failover.call(attempt, settings.deadline()), type);
  }

  private <T> T atThisHost(Attempt attempt, Class<T> type) {
    return parse(failover.call(attempt.atThisHost(), settings.deadline()), type);
  }

  private static JsonHttp.Request cancel(Target target, String requestId) {
    return new JsonHttp.Request("POST", path(target.cancelling(requestId)), null, null);
  }

  private void order(Target target, @Nullable ErrorCode done) {
    var request = new JsonHttp.Request("POST", path(target), null, null);
    failover.call(
        Attempt.changing(request, settings.attemptTimeout()).doneWhen(done), settings.deadline());
  }

  private static String path(Target target) {
    return target.toString();
  }

  private String requestId(@Nullable String given) {
    if (given == null) {
      return settings.requestIds().get();
    }
    if (!REQUEST_ID.matcher(given).matches()) {
      throw StorageException.invalid(
          "requestId",
          "The request id must be 1 to 128 visible ASCII characters.",
          "Use a UUID, for example.");
    }
    return given;
  }

  private static <T> T parse(byte[] body, Class<T> type) {
    try {
      return READER.forType(type).readValue(body);
    } catch (IOException e) {
      throw new StorageException(
          ErrorCode.INTERNAL,
          "The agent's answer cannot be understood.",
          type.getSimpleName(),
          "Use a client of the agent's version.",
          e);
    }
  }
}
