package io.quarry.it.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.agent.dev.NewRepository;
import io.quarry.common.api.Json;
import io.quarry.it.api.Http.Answer;
import io.quarry.it.box.Box;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Case 12.10: a request id belongs to one call. Repositories of the first version have no digests,
 * and get digests by an upgrade.
 */
@Timeout(180)
final class RequestIdIT {
  private static final String MAIN = "/v1/repositories/main";
  private static final String FAR = "/v1/repositories/far";
  private static final String OLD = "/v1/repositories/old";
  private static final String DISK = "{\"size\": 1048576}";

  @TempDir static Path directory;

  private static Box box;
  private static Http http;
  private static URI here;
  private static URI there;

  @BeforeAll
  static void start() throws Exception {
    box = Box.pair(directory, "main", "far");
    http = new Http();
    here = box.host(0).url();
    there = box.host(1).url();
  }

  @AfterAll
  static void stop() {
    if (http != null) {
      http.close();
    }
    if (box != null) {
      box.close();
    }
  }

  private static Answer post(URI agent, String path, String body, String key) throws Exception {
    return http.post(agent, path, body, "Idempotency-Key", key);
  }

  private static String disk(String repository, String userData) throws Exception {
    String body = "{\"size\": 1048576, \"userData\": " + userData + "}";
    String disk = http.post(here, repository + "/virtual-disks", body).text("imageId");
    http.get(here, image(repository, disk) + "/status?wait=30s&until=optimized");
    return disk;
  }

  private static String image(String repository, String image) {
    return repository + "/images/" + image;
  }

  private static void reused(Answer answer) {
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(409);
    assertThat(answer.text("code")).isEqualTo("REQUEST_ID_REUSED");
  }

  @Test
  void removalOfAnotherImageUnderTheSameKeyIsRefused() throws Exception {
    String first = disk(MAIN, "{}");
    String second = disk(MAIN, "{}");
    String[] key = {"Idempotency-Key", "remove-1"};
    assertThat(http.send(here, "DELETE", image(MAIN, first), "", key).status()).isEqualTo(200);
    reused(http.send(there, "DELETE", image(MAIN, second), "", key));
    assertThat(http.get(here, image(MAIN, second)).status()).isEqualTo(200);
    assertThat(http.send(there, "DELETE", image(MAIN, first), "", key).status()).isEqualTo(200);
  }

  @Test
  void openingAnotherImageUnderTheSameKeyIsRefused() throws Exception {
    String first = disk(MAIN, "{}");
    String second = disk(MAIN, "{}");
    Answer open = post(here, image(MAIN, first) + "/open", "{}", "open-1");
    assertThat(open.status()).isEqualTo(200);
    reused(post(here, image(MAIN, second) + "/open", "{}", "open-1"));
    assertThat(post(here, image(MAIN, first) + "/open", "{}", "open-1").text("openId"))
        .isEqualTo(open.text("openId"));
    String close = "{\"openId\": \"" + open.text("openId") + "\"}";
    assertThat(http.post(here, image(MAIN, first) + "/close", close).status()).isEqualTo(200);
  }

  @Test
  void anotherBodyUnderTheSameKeyIsRefused() throws Exception {
    Answer created = post(here, MAIN + "/virtual-disks", DISK, "disk-1");
    assertThat(created.status()).isEqualTo(201);
    reused(post(there, MAIN + "/virtual-disks", "{\"size\": 2097152}", "disk-1"));
    assertThat(post(there, MAIN + "/virtual-disks", DISK, "disk-1").body())
        .isEqualTo(created.body());
  }

  /** Two repositories have two logs: the copies that one key makes in both must not get one id. */
  @Test
  void copiesIntoTwoRepositoriesUnderOneKeyAreTwoImages() throws Exception {
    String first = disk(MAIN, "{\"name\": \"first\"}");
    String second = disk(MAIN, "{\"name\": \"second\"}");
    Answer near = post(here, MAIN + "/copies", "{\"imageId\": \"" + first + "\"}", "copy-1");
    Answer far = post(here, FAR + "/copies", "{\"imageId\": \"" + second + "\"}", "copy-1");
    assertThat(near.status()).isEqualTo(201);
    assertThat(far.status()).isEqualTo(201);
    assertThat(far.text("imageId")).isNotEqualTo(near.text("imageId"));
    reused(post(there, MAIN + "/copies", "{\"imageId\": \"" + second + "\"}", "copy-1"));
  }

  @Test
  void repositoryOfTheFirstVersionGoesOnAndIsUpgraded() throws Exception {
    // Hosts refuse a log that is behind what they have seen, so no host has seen this one.
    var _ = NewRepository.at("old", box.repository("old"));
    makeOld(box.repository("old"));
    box.connect("old");
    box.awaitSdm("old", 0, 1);

    assertThat(http.get(here, MAIN).body().get("features").toString()).contains("callDigests");
    Answer before = http.get(here, OLD);
    assertThat(before.body().get("features")).isEmpty();
    assertThat(before.body().get("dueFeatures").toString()).contains("callDigests");
    String first = disk(OLD, "{}");
    String second = disk(OLD, "{}");
    String[] key = {"Idempotency-Key", "remove-1"};
    assertThat(http.send(here, "DELETE", image(OLD, first), "", key).status()).isEqualTo(200);
    reused(http.send(there, "DELETE", image(OLD, second), "", key));

    Answer upgraded = post(there, OLD + "/upgrade", "", "upgrade-1");
    assertThat(upgraded.status()).as("%s", upgraded.body()).isEqualTo(200);
    assertThat(post(here, OLD + "/upgrade", "", "upgrade-1").body()).isEqualTo(upgraded.body());
    assertThat(http.get(there, OLD).body().get("dueFeatures")).isEmpty();
    assertThat(post(here, OLD + "/virtual-disks", DISK, "disk-1").status()).isEqualTo(201);
    reused(post(there, OLD + "/virtual-disks", "{\"size\": 2097152}", "disk-1"));
  }

  /** Turns an empty repository into one of the first version: no features anywhere. */
  private static void makeOld(Path place) throws Exception {
    Path genesis = place.resolve("repository.json");
    ObjectNode json = (ObjectNode) Json.MAPPER.readTree(genesis.toFile());
    assertThat(json.get("version").asInt()).isEqualTo(2);
    json.put("version", 1).remove("features");
    Files.write(genesis, Json.MAPPER.writeValueAsBytes(json));
    Path log = place.resolve("log");
    for (String name : Box.names(log)) {
      if (!name.equals("0000000000000000.checkpoint")) {
        Files.delete(log.resolve(name));
      }
    }
  }
}
