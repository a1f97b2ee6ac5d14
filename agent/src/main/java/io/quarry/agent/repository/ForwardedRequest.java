package io.quarry.agent.repository;

import io.quarry.coordinator.plan.Request;

/** A request on its way to the SDM's host. */
public record ForwardedRequest(String repositoryKey, String requestId, Request request) {}
