package io.quarry.agent.dev;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The options of a {@link LocalCluster}.
 *
 * @param directory for state, logs and ZooKeeper's data; made when missing
 * @param externalZooKeeper a connect string; empty: the cluster starts its own
 * @param javaOptions for the agents' JVMs
 * @param agentConfig fields to set in the configuration of each host's agent, as in its JSON
 * @param guardianArguments more arguments for the guardians
 * @param launcher words before the guardians' commands, for example a program that enters a
 *     namespace
 */
public record LocalClusterOptions(
    int hosts,
    Path directory,
    Duration sessionTimeout,
    Optional<String> externalZooKeeper,
    List<String> javaOptions,
    Function<String, Map<String, Object>> agentConfig,
    List<String> guardianArguments,
    List<String> launcher) {
  public static final int HOSTS_MAX = 50;

  public LocalClusterOptions {
    if (hosts < 1 || hosts > HOSTS_MAX) {
      throw new IllegalArgumentException(
          "A local cluster has 1 to " + HOSTS_MAX + " hosts, not " + hosts);
    }
    directory = directory.toAbsolutePath().normalize();
    javaOptions = List.copyOf(javaOptions);
    guardianArguments = List.copyOf(guardianArguments);
    launcher = List.copyOf(launcher);
  }

  /** One host, its own ZooKeeper, sessions of 15 s, small JVMs. */
  public static LocalClusterOptions in(Path directory) {
    return new LocalClusterOptions(
        1,
        directory,
        Duration.ofSeconds(15),
        Optional.empty(),
        List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
        _ -> Map.of(),
        List.of(),
        List.of());
  }

  public LocalClusterOptions withHosts(int count) {
    return new LocalClusterOptions(
        count,
        directory,
        sessionTimeout,
        externalZooKeeper,
        javaOptions,
        agentConfig,
        guardianArguments,
        launcher);
  }

  public LocalClusterOptions withSessionTimeout(Duration timeout) {
    return new LocalClusterOptions(
        hosts,
        directory,
        timeout,
        externalZooKeeper,
        javaOptions,
        agentConfig,
        guardianArguments,
        launcher);
  }

  public LocalClusterOptions withExternalZooKeeper(String connectString) {
    return new LocalClusterOptions(
        hosts,
        directory,
        sessionTimeout,
        Optional.of(connectString),
        javaOptions,
        agentConfig,
        guardianArguments,
        launcher);
  }

  /**
   * For agents that move much data: SHA-256 takes ten times as long without the optimizing
   * compiler.
   */
  public LocalClusterOptions withWholeCompiler() {
    return withJavaOptions("-Xmx256m", "-XX:+UseSerialGC");
  }

  public LocalClusterOptions withJavaOptions(String... options) {
    return new LocalClusterOptions(
        hosts,
        directory,
        sessionTimeout,
        externalZooKeeper,
        List.of(options),
        agentConfig,
        guardianArguments,
        launcher);
  }

  public LocalClusterOptions withAgentConfig(Map<String, Object> fields) {
    Map<String, Object> same = Map.copyOf(fields);
    return withConfigOfHost(_ -> same);
  }

  /**
   * @param fields of each host's configuration
   */
  public LocalClusterOptions withConfigOfHost(Function<String, Map<String, Object>> fields) {
    return new LocalClusterOptions(
        hosts,
        directory,
        sessionTimeout,
        externalZooKeeper,
        javaOptions,
        fields,
        guardianArguments,
        launcher);
  }

  public LocalClusterOptions withGuardianArguments(String... arguments) {
    return new LocalClusterOptions(
        hosts,
        directory,
        sessionTimeout,
        externalZooKeeper,
        javaOptions,
        agentConfig,
        List.of(arguments),
        launcher);
  }
}
