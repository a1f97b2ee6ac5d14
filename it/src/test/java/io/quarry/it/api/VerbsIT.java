package io.quarry.it.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The verbs that change or explain what there is, over HTTP, with real agents: a test per row. */
@Timeout(300)
final class VerbsIT {
  private static final long SIZE = 1 << 20;

  @TempDir static Path directory;

  private static Box box;
  private static StorageClient client;
  private static StorageClient other;

  @BeforeAll
  static void start() throws Exception {
    box = Box.start(LocalClusterOptions.in(directory).withHosts(2));
    client = box.client(0);
    other = box.client(1);
    box.connect("main");
    box.connect("far");
    box.awaitSdm("main", 0, 1);
    box.awaitSdm("far", 0, 1);
  }

  @AfterAll
  static void stop() {
    if (box != null) {
      box.close();
    }
  }

  @Test
  void setUserData() {
    String disk = Box.disk(client, "main", SIZE).imageId();
    ObjectNode named = Json.MAPPER.createObjectNode().put("name", "web").put("zone", 1);
    long commit = client.setUserData("main", disk, named, "label-1").commit();
    assertThat(other.getImage("main", disk, commit).userData()).isEqualTo(named);

    ObjectNode renamed = Json.MAPPER.createObjectNode().put("name", "db");
    client.setUserData("main", disk, renamed, null);
    assertThat(other.setUserData("main", disk, named, "label-1").commit())
        .as("a repeated call has no second effect")
        .isEqualTo(commit);
    assertThat(client.getImage("main", disk, 0).userData()).isEqualTo(renamed);

    ObjectNode large = Json.MAPPER.createObjectNode().put("name", "x".repeat(64 << 10));
    assertThatThrownBy(() -> client.setUserData("main", disk, large, null))
        .isInstanceOf(StorageException.class);
    refused(
        ErrorCode.REQUEST_ID_REUSED,
        () -> client.removeImage("main", disk, RemoveImageOptions.DEFAULT, "label-1"));
    client.removeImage("main", disk, RemoveImageOptions.DEFAULT, null);
    refused(ErrorCode.IMAGE_NOT_FOUND, () -> client.setUserData("main", disk, named, null));
  }

  private static void refused(ErrorCode code, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StorageException.class, refusal -> assertThat(refusal.code()).isEqualTo(code));
  }
}
