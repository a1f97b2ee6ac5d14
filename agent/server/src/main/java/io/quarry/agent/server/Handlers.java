package io.quarry.agent.server;

import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.ByteRange;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CloseOpensRequest;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.CreateSnapshotRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.ExtentQuery;
import io.quarry.common.api.FinishUploadRequest;
import io.quarry.common.api.FixQuery;
import io.quarry.common.api.FixRequest;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.OpenQuery;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.PageQuery;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.api.StorageApi;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadRange;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Visibility;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** Maps the contract's operations to the methods of {@link StorageApi}. */
final class Handlers {
  /** An operation's answer becomes the response's JSON; null means an answer without a body. */
  @FunctionalInterface
  private interface Verb {
    @Nullable Object answer(StorageApi api, Call call);
  }

  private static final Map<String, Verb> ALL =
      Map.ofEntries(
          verb(
              "connectStorageRepository",
              (api, call) -> api.connectStorageRepository(call.body(ConnectRequest.class))),
          verb(
              "createStorageRepository",
              (api, call) -> {
                call.body().put("repoId", call.repoId());
                return api.createStorageRepository(call.body(ConnectRequest.class));
              }),
          verb(
              "listStorageRepositories",
              (api, call) -> Map.of("repositories", api.listStorageRepositories())),
          verb("getStorageRepository", (api, call) -> api.getStorageRepository(call.repoId())),
          silent(
              "disconnectStorageRepository",
              (api, call) -> api.disconnectStorageRepository(call.repoId())),
          verb(
              "upgradeStorageRepository",
              (api, call) -> api.upgradeStorageRepository(call.repoId(), call.requestId())),
          verb(
              "createVirtualDisk",
              (api, call) ->
                  api.createVirtualDisk(
                      call.repoId(), call.body(CreateVirtualDiskRequest.class), call.requestId())),
          verb(
              "createSnapshot",
              (api, call) ->
                  api.createSnapshot(
                      call.repoId(), call.body(CreateSnapshotRequest.class), call.requestId())),
          verb(
              "copyImage",
              (api, call) ->
                  api.copyImage(
                      call.repoId(), call.body(CopyImageRequest.class), call.requestId())),
          verb(
              "removeImage",
              (api, call) ->
                  api.removeImage(call.repoId(), call.imageId(), removal(call), call.requestId())),
          verb(
              "restoreImage",
              (api, call) -> api.restoreImage(call.repoId(), call.imageId(), call.requestId())),
          verb("listImages", (api, call) -> api.listImages(call.repoId(), listing(call))),
          verb(
              "getImage",
              (api, call) ->
                  api.getImage(call.repoId(), call.imageId(), call.queryNumber("atLeast"))),
          verb(
              "getImageStatus",
              (api, call) -> api.getImageStatus(call.repoId(), call.imageId(), status(call))),
          verb(
              "explainImage",
              (api, call) ->
                  api.explainImage(call.repoId(), call.imageId(), call.queryNumber("atLeast"))),
          verb(
              "setUserData",
              (api, call) ->
                  api.setUserData(call.repoId(), call.imageId(), call.body(), call.requestId())),
          verb(
              "resizeImage",
              (api, call) ->
                  api.resizeImage(
                      call.repoId(),
                      call.imageId(),
                      call.body().path("size").longValue(),
                      call.requestId())),
          verb(
              "openImage",
              (api, call) ->
                  api.openImage(
                      call.repoId(),
                      call.imageId(),
                      call.body(OpenRequest.class),
                      call.requestId())),
          verb(
              "closeImage",
              (api, call) ->
                  api.closeImage(
                      call.repoId(),
                      call.imageId(),
                      call.body().path("openId").asText(),
                      call.requestId())),
          verb(
              "listOpens",
              (api, call) ->
                  api.listOpens(
                      call.repoId(),
                      new OpenQuery(
                          call.query("host"),
                          call.query("after"),
                          (int) call.queryNumber("limit"),
                          call.queryNumber("atLeast")))),
          verb(
              "getOpen",
              (api, call) ->
                  api.getOpen(call.repoId(), call.variable("openId"), call.queryNumber("atLeast"))),
          verb(
              "closeOpen",
              (api, call) ->
                  api.closeOpen(
                      call.repoId(),
                      call.variable("openId"),
                      call.body().path("force").asBoolean(),
                      call.requestId())),
          verb(
              "closeOpens",
              (api, call) ->
                  api.closeOpens(
                      call.repoId(), call.body(CloseOpensRequest.class), call.requestId())),
          verb(
              "downloadImage",
              (api, call) -> api.downloadImage(call.repoId(), call.imageId(), download(call))),
          verb(
              "beginUpload",
              (api, call) ->
                  api.beginUpload(
                      call.repoId(),
                      call.imageId(),
                      call.body(BeginUploadRequest.class),
                      call.requestId())),
          verb(
              "getUpload",
              (api, call) ->
                  api.getUpload(call.repoId(), call.imageId(), call.variable("uploadId"))),
          verb("uploadImage", Handlers::upload),
          verb(
              "finishUpload",
              (api, call) ->
                  api.finishUpload(
                      call.repoId(),
                      call.imageId(),
                      call.variable("uploadId"),
                      call.body(FinishUploadRequest.class),
                      call.requestId())),
          verb(
              "listImageExtents",
              (api, call) ->
                  api.listImageExtents(
                      call.repoId(),
                      call.imageId(),
                      new ExtentQuery(
                          call.queryNumber("offset"),
                          (int) call.queryNumber("limit"),
                          Boolean.parseBoolean(call.query("more"))))),
          verb(
              "checkStorageRepository",
              (api, call) ->
                  api.checkStorageRepository(call.repoId(), call.body(CheckOptions.class))),
          verb("fixStorageRepository", Handlers::fix),
          verb(
              "listFixes",
              (api, call) ->
                  api.listFixes(
                      call.repoId(),
                      new FixQuery(
                          call.query("after"),
                          (int) call.queryNumber("limit"),
                          call.queryNumber("atLeast")))),
          verb(
              "pauseFix",
              (api, call) -> api.pauseFix(call.repoId(), call.variable("fixId"), call.requestId())),
          verb(
              "resumeFix",
              (api, call) ->
                  api.resumeFix(call.repoId(), call.variable("fixId"), call.requestId())),
          verb(
              "cancelRequest",
              (api, call) -> api.cancelRequest(call.repoId(), call.variable("requestId"))),
          verb("listHosts", (api, call) -> api.listHosts(page(call))),
          silent(
              "drainHost",
              (api, call) ->
                  api.drainHost(call.variable("hostId"), call.body().path("drained").asBoolean())),
          silent("fenceHost", (api, call) -> api.fenceHost(call.variable("hostId"))),
          verb("listTasks", (api, call) -> api.listTasks(call.query("host"), page(call))),
          silent("stopTask", (api, call) -> api.stopTask(call.variable("taskId"))),
          silent("releaseTask", (api, call) -> api.releaseTask(call.variable("taskId"))),
          verb("watchEvents", (api, call) -> api.watchEvents(since(call))),
          silent(
              "setThrottle",
              (api, call) -> api.setThrottle(call.body().path("bytesPerSecond").longValue())));

  private Handlers() {}

  static Set<String> names() {
    return ALL.keySet();
  }

  static @Nullable Object answer(String operationId, StorageApi api, Call call) {
    Verb verb = ALL.get(operationId);
    if (verb == null) {
      throw new IllegalStateException("No verb " + operationId);
    }
    return verb.answer(api, call);
  }

  private static Object fix(StorageApi api, Call call) {
    call.body().remove("options");
    return api.fixStorageRepository(call.repoId(), call.body(FixRequest.class), call.requestId());
  }

  private static Object upload(StorageApi api, Call call) {
    String range = call.header("Content-Range");
    String uploadId = call.query("uploadId");
    if (range == null || uploadId == null) {
      String missing = range == null ? "Content-Range" : "uploadId";
      throw StorageException.invalid(
          missing, missing + " is missing.", "See /v1/openapi.yaml for what an upload needs.");
    }
    String digest = call.header("Content-Digest");
    boolean zeros = Boolean.parseBoolean(call.query("zeros"));
    if (zeros && !empty(call.bytes())) {
      throw StorageException.invalid(
          Contract.BODY,
          "The range is said to be zeros, and bytes came with it.",
          "Leave out zeros, or send no body.");
    }
    return api.uploadImage(
        call.repoId(),
        call.imageId(),
        uploadId,
        UploadRange.parse(
            range,
            zeros,
            digest == null ? null : digest.substring("sha-256=:".length(), digest.length() - 1)),
        call.bytes());
  }

  private static PageQuery page(Call call) {
    return new PageQuery(call.query("after"), (int) call.queryNumber("limit"));
  }

  private static boolean empty(InputStream body) {
    try {
      return body.read() < 0;
    } catch (IOException e) {
      throw StorageException.invalid(
          Contract.BODY, "The body did not arrive: " + e.getMessage() + ".", "Repeat the call.");
    }
  }

  private static DownloadRequest download(Call call) {
    String range = call.header("Range");
    return new DownloadRequest(
        range == null ? null : ByteRange.parse(range),
        call.header("If-Match"),
        call.header("If-Range"),
        Boolean.parseBoolean(call.query("more")));
  }

  private static RemoveImageOptions removal(Call call) {
    String autoFix = call.query("autoFix");
    String retain = call.query("retain");
    String force = call.query("force");
    boolean inBody = !call.body().isEmpty();
    if (inBody && (autoFix != null || retain != null || force != null)) {
      throw StorageException.invalid(
          "options",
          "Options are in the query and in the body.",
          "Give them in one of the two places.");
    }
    if (inBody) {
      String text = call.body().path("retain").asText();
      return new RemoveImageOptions(
          call.body().path("autoFix").asBoolean(),
          Durations.parse(text, "retain"),
          call.body().path("force").asBoolean());
    }
    return new RemoveImageOptions(
        autoFix == null || autoFix.equals("true"),
        retain == null ? Duration.ZERO : Durations.parse(retain, "retain"),
        Boolean.parseBoolean(force));
  }

  /** The client's last event wins over the place where the client once began. */
  private static @Nullable String since(Call call) {
    String last = call.header("Last-Event-ID");
    return last == null ? call.query("since") : last;
  }

  private static ImageQuery listing(Call call) {
    String kind = call.query("kind");
    return new ImageQuery(
        kind == null
            ? null
            : kind.equals(ImageKind.SNAPSHOT.label()) ? ImageKind.SNAPSHOT : ImageKind.VIRTUAL_DISK,
        state(call.query("state")),
        visibility(call.query("visibility")),
        call.query("label"),
        call.query("after"),
        (int) call.queryNumber("limit"),
        call.queryNumber("atLeast"));
  }

  private static Visibility visibility(@Nullable String label) {
    for (Visibility visibility : Visibility.values()) {
      if (visibility.label().equals(label)) {
        return visibility;
      }
    }
    return Visibility.VISIBLE;
  }

  private static StatusQuery status(Call call) {
    String wait = call.query("wait");
    ImageState until = state(call.query("until"));
    long atLeast = call.queryNumber("atLeast");
    if (wait == null) {
      return new StatusQuery(Duration.ZERO, until, atLeast);
    }
    Duration timeout = Durations.parse(wait, "wait");
    if (timeout.compareTo(ServerLimits.STATUS_WAIT_MAX) > 0) {
      throw StorageException.invalid(
          "wait",
          "wait is "
              + wait
              + " and must be at most "
              + ServerLimits.STATUS_WAIT_MAX.toSeconds()
              + "s.",
          "Ask again when the time is over.");
    }
    return new StatusQuery(timeout, until == null ? ImageState.OPTIMIZED : until, atLeast);
  }

  private static @Nullable ImageState state(@Nullable String label) {
    for (ImageState state : ImageState.values()) {
      if (state.label().equals(label)) {
        return state;
      }
    }
    return null;
  }

  private static Map.Entry<String, Verb> verb(String operationId, Verb verb) {
    return Map.entry(operationId, verb);
  }

  private static Map.Entry<String, Verb> silent(
      String operationId, BiConsumer<StorageApi, Call> action) {
    return Map.entry(
        operationId,
        (api, call) -> {
          action.accept(api, call);
          return null;
        });
  }
}
