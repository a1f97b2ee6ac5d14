package io.quarry.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.common.api.ConnectRequest;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class AgentConfigTest {
  private static final String SMALLEST =
      """
      {
        "hostId": "host-1",
        "listen": "127.0.0.1:7400",
        "zookeeper": "127.0.0.1:2181/quarry",
        "stateDirectory": "/var/lib/quarry"
      }
      """;

  @Test
  void restHasDefaults(@TempDir Path directory) throws Exception {
    AgentConfig config = load(directory, SMALLEST);
    assertThat(config)
        .isEqualTo(
            new AgentConfig(
                "host-1",
                "127.0.0.1:7400",
                URI.create("http://127.0.0.1:7400"),
                "127.0.0.1:2181/quarry",
                Duration.ofSeconds(15),
                Path.of("/var/lib/quarry"),
                List.of(),
                0,
                AgentConfig.UPLOAD_IDLE_TIMEOUT,
                AgentConfig.HEAVY_FIXES,
                new AgentConfig.Server(8192, Duration.ofSeconds(60), List.of())));
    assertThat(config.serverNames()).contains("host-1", "127.0.0.1");
    assertThat(config.listenAddress().getPort()).isEqualTo(7400);
  }

  @Test
  void allSettingsAreRead(@TempDir Path directory) throws Exception {
    AgentConfig config =
        load(
            directory,
            """
            {
              "hostId": "host-1",
              "listen": "0.0.0.0:7400",
              "advertise": "http://host-1.example:7400",
              "zookeeper": "zk1:2181,zk2:2181",
              "sessionTimeout": "PT4S",
              "stateDirectory": "/var/lib/quarry",
              "repositories": [
                {"repoId": "fast", "repoFormat": "localfs-1.0",
                 "connectionParameters": {"path": "/srv/fast"}},
                {"repoId": "slow", "repoFormat": "localfs-1.0",
                 "connectionParameters": {"path": "/srv/slow"}}
              ],
              "throttleBytesPerSecond": 1000000,
              "uploadIdleTimeout": "PT2H",
              "heavyFixesMax": 1,
              "server": {"connectionsMax": 1000, "keepAliveTimeout": "PT45S", "names": ["quarry.example"]}
            }
            """);
    assertThat(config.repositories())
        .containsExactly(
            new ConnectRequest("fast", "localfs-1.0", Map.of("path", "/srv/fast")),
            new ConnectRequest("slow", "localfs-1.0", Map.of("path", "/srv/slow")));
    assertThat(config.server())
        .isEqualTo(new AgentConfig.Server(1000, Duration.ofSeconds(45), List.of("quarry.example")));
    assertThat(config.serverNames()).contains("host-1", "host-1.example", "quarry.example");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          "host-1"                | "host/1"        | hostId must be letters, digits
          "host-1"                | null            | hostId is missing
          "127.0.0.1:7400"        | "7400"          | listen must be host:port
          "127.0.0.1:7400"        | "localhost:0"   | listen must be host:port
          "127.0.0.1:7400"        | "0.0.0.0:7400"  | advertise is missing
          "127.0.0.1:2181/quarry" | "a b"           | zookeeper must be a connect string
          "/var/lib/quarry"       | "state"         | stateDirectory must be an absolute path
          }                       | , "sessiontimeout": "PT4S"}      | unknown field "sessiontimeout"; known are advertise
          }                       | , "sessionTimeout": "PT0.5S"}    | between PT1S and PT2M
          }                       | , "sessionTimeout": "soon"}      | sessionTimeout:
          }                       | , "heavyFixesMax": 0}            | heavyFixesMax must be between 1
          }                       | , "uploadIdleTimeout": "PT0S"}   | uploadIdleTimeout must be between PT1S and PT8760H
          }                       | , "throttleBytesPerSecond": -1}  | throttleBytesPerSecond must be 0
          }                       | , "advertise": "host-1"}         | advertise must be a URL
          }                       | , "repositories": [{"repoId": "a"}]} | repoFormat is missing
          }                       | , "repositories": [{"repoId": "a", "repoFormat": "localfs-1.0", "create": true}]} | a configuration creates nothing: run `quarry repo create` once
          }                       | , "repositories": [{"repoId": "a", "repoFormat": "nfs-9.9"}]} | repository a: there is no repository format nfs-9.9
          }                       | , "repositories": [{"repoId": "a", "repoFormat": "localfs-1.0", "connectionParameters": {"paht": "/x"}}]} | localfs-1.0 has no parameter paht
          }                       | , "server": {"connectionsMax": 63}} | server.connectionsMax must be between 64 and 1048576, not 63
          }                       | , "server": {"keepAliveTimeout": "PT0.9S"}} | server.keepAliveTimeout must be between PT1S and PT1H
          }                       | , "server": {"names": ["a:1"]}}  | server.names must be host names without a port, not "a:1"
          }                       | ,                                | not JSON
          """)
  void mistakeIsNamed(String original, String mistake, String message, @TempDir Path directory) {
    assertThatThrownBy(() -> load(directory, SMALLEST.replace(original, mistake)))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("agent.json: ")
        .hasMessageContaining(message);
  }

  @Test
  void missingFileIsNamed(@TempDir Path directory) {
    Path missing = directory.resolve("none.json");
    assertThatThrownBy(() -> AgentConfig.load(missing))
        .isInstanceOf(ConfigurationException.class)
        .hasMessage("there is no file " + missing);
  }

  private static AgentConfig load(Path directory, String text)
      throws ConfigurationException, IOException {
    return AgentConfig.load(Files.writeString(directory.resolve("agent.json"), text));
  }
}
