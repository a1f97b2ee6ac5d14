package io.quarry.it.box;

import static org.awaitility.Awaitility.await;

import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.Fix;
import io.quarry.common.api.FixInfo;
import io.quarry.common.api.FixRequest;
import io.quarry.common.client.StorageClient;
import java.util.List;

/** The answers of {@code check} and {@code listFixes} for a repository. */
public final class FixQueries {
  private FixQueries() {}

  public static List<Fix> found(StorageClient client, String repoId) {
    return client.checkStorageRepository(repoId, CheckOptions.DEFAULT).fixes();
  }

  public static Fix of(StorageClient client, String repoId, String imageId) {
    return found(client, repoId).stream()
        .filter(fix -> imageId.equals(fix.imageId()))
        .findAny()
        .orElseThrow();
  }

  public static FixInfo listed(StorageClient client, String repoId, String imageId) {
    return client.listFixes(repoId, 0).stream()
        .filter(fix -> imageId.equals(fix.imageId()))
        .findAny()
        .orElseThrow();
  }

  /** Requests every fix that check offers, until check finds nothing. */
  public static void runAll(StorageClient client, String repoId) {
    await()
        .atMost(Box.PATIENCE)
        .until(() -> {
          List<Fix> fixes = found(client, repoId);
          fixes.stream()
              .filter(fix -> fix.state().equals("waiting"))
              .forEach(fix -> client.fixStorageRepository(repoId, new FixRequest(fix), null));
          return fixes.isEmpty();
        });
  }
}
