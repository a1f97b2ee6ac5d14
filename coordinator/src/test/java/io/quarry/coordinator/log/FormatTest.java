package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import io.quarry.coordinator.plan.Change;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Existing logs stay readable; docs/log-format.md shows this one. */
class FormatTest {
  private static final String DISK = "0b9f6f1e-2f5c-4c6b-9f0e-6d2f3c1a7b10";

  @Test
  void logOfVersion1IsReadable() throws Exception {
    URI log = Objects.requireNonNull(getClass().getResource("version-1")).toURI();
    MemoryDisk disk = MemoryDisk.empty();
    try (Stream<Path> files = Files.list(Path.of(log).resolve("log"))) {
      for (Path file : files.toList()) {
        disk.link(String.valueOf(file.getFileName()), Files.readAllBytes(file));
      }
    }
    LogState state = new LogReader(new MemorySlotStore(disk)).load();
    assertThat(state.sequence()).isEqualTo(4);
    assertThat(state.position().writer()).isEqualTo("host-1/5a31");
    assertThat(state.repository().images().get(DISK)).matches(image -> !image.visible());
    assertThat(state.repository().requests().find("9e107d9d-1")).isNotNull();
    assertThat(state.repository().fixes()).hasSize(1);
  }

  /** Of each kind one with all fields, and one with the fewest. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        """
        {"change":"putFix","fix":{"id":"merge-v","type":"merge","imageId":"i","volumeId":"v",\
        "file":"f","heavy":true,"wanted":true,"epoch":3,\
        "worker":{"hostId":"h","incarnation":"life"},"failures":2,"parked":true,\
        "pausedSince":"2026-01-01T00:00:01Z","lastError":"failed",\
        "retryAt":"2026-01-01T00:00:02Z","since":"2026-01-01T00:00:03Z"}}\
        """,
        """
        {"change":"putFix","fix":{"id":"stray-f","type":"clean","heavy":false,"wanted":false,\
        "epoch":0,"failures":0,"parked":false,"since":"2026-01-01T00:00:00Z"}}\
        """,
        """
        {"change":"putVolume","volume":{"id":"v","imageId":"i","format":"qcow2","size":512,\
        "parentImageId":"p","stage":"READY","file":"v.1.qcow2",\
        "source":{"repositoryKey":"k","imageId":"s","pinId":"pin","by":"optimize"},\
        "replaces":{"volumeId":"w","by":"merge"},\
        "baseSource":{"repositoryKey":"k","imageId":"b","pinId":"pin"},\
        "writer":{"fixId":"merge-v","worker":{"hostId":"h","incarnation":"life"},"epoch":4},\
        "witness":{"size":1024,"modified":"2026-01-01T00:00:00Z"}}}\
        """,
        """
        {"change":"putVolume","volume":{"id":"v","imageId":"i","format":"raw","size":512,\
        "stage":"INTENDED"}}\
        """,
        """
        {"change":"putOpen","open":{"id":"o","imageId":"i","readOnly":true,"hostId":"h",\
        "owner":"vm","incarnation":"life","volumes":["v","w"],"fills":"u",\
        "received":{"format":"qcow2","bytes":7},"since":"2026-01-01T00:00:00Z",\
        "baseSource":{"repositoryKey":"k","imageId":"b","pinId":"pin"},\
        "boot":{"hostKey":"k","bootId":"b"}}}\
        """,
        """
        {"change":"putOpen","open":{"id":"o","imageId":"i","readOnly":false,"hostId":"h",\
        "volumes":[],"since":"2026-01-01T00:00:00Z"}}\
        """,
        """
        {"change":"putImage","image":{"id":"i","kind":"Snapshot","strong":false,"size":512,\
        "volumeId":"v","strategy":"performance","autoFix":true,\
        "createdAt":"2026-01-01T00:00:00Z","userData":{"a":[1.10]},\
        "retainedUntil":"2026-01-02T00:00:00Z","contentCommit":9}}\
        """,
        """
        {"change":"putImage","image":{"id":"i","kind":"VirtualDisk","strong":true,"size":512,\
        "volumeId":"v","strategy":"space","autoFix":false,"createdAt":"2026-01-01T00:00:00Z",\
        "userData":{}}}\
        """
      })
  void changeIsWrittenAsItWasRead(String json) throws Exception {
    Change change = Codec.MAPPER.readValue(json, Change.class);
    assertThat(Codec.MAPPER.writerFor(Change.class).writeValueAsString(change)).isEqualTo(json);
    for (String unknown : List.of("subject", "grant", "shape", "user", "content", "unknown")) {
      String more = json.replaceFirst(":\\{", ":{\"" + unknown + "\":{},");
      assertThatThrownBy(() -> Codec.MAPPER.readValue(more, Change.class))
          .isInstanceOf(UnrecognizedPropertyException.class);
    }
  }
}
